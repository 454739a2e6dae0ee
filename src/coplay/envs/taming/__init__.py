"""Hidden randomness and clocks, made functions of the game's seed and the frame.

Real environments draw from `random`, from `np.random` and from generators created without a seed, and they
read clocks. Inside a `SimulatedFrame` all of these depend on (game seed, frame, number of earlier draws) and
on nothing else, so that a frame draws the same when it is simulated again, or by another peer. Outside a
simulated frame every call passes through to the original, whose own state is never touched.

| Source | Where it is replaced |
|---|---|
| all of `random` | the class of the module's hidden instance |
| `random.Random()`, `random.seed()` | `Random.seed` without a seed |
| `np.random.rand()` and the like | the module's functions |
| unseeded `default_rng()`, `RandomState()`, `PCG64()`, Gymnasium's `np_random()` | numpy's use of `secrets` |
| `secrets`, `random.SystemRandom` | the name under which `random` holds `os.urandom` |
| `os.urandom`, `uuid.uuid1`, `uuid.uuid4` | the functions |
| clocks of `time`, `sleep`, `localtime`, `gmtime` | the module's functions |
| `datetime.now`, `utcnow`, `today` | the classes in `datetime`, only while a frame is simulated |

Names that other modules imported earlier (`from random import random`) are replaced in those modules too.
Not covered are functions kept elsewhere than in a module's globals before the first game (as a default
argument or a class attribute), and C code that asks the operating system itself. The determinism check names
the attributes that those change.

Streams are seeded on first use: a frame that draws nothing costs two assignments.
"""

from coplay.envs.taming.dates import SIMULATED, real_dates
from coplay.envs.taming.frame import SimulatedFrame
from coplay.envs.taming.installation import install, install_dates, uninstall
from coplay.envs.taming.patches import SimulatedFunction, original_of
from coplay.envs.taming.randomness import GlobalRandom, seed_unseeded
from coplay.envs.taming.streams import derive_seed

__all__ = [
    "SimulatedFrame",
    "derive_seed",
    "install",
    "install_dates",
    "original_of",
    "real_dates",
    "seed_unseeded",
    "uninstall",
]

# Checksums and transferred states name the class of what an environment holds, module included: which file of
# this package defines one of these must not matter.
for _cls in (SimulatedFunction, GlobalRandom, *SIMULATED.values()):
    _cls.__module__ = __name__
