"""The parts of a check that run in the examined process, in CPython and in WebAssembly alike."""
