"""The steps by which a database came to the tables of `records`; Alembic runs those that it has not seen.

A step is never changed once it was released: another one follows it.
"""

from typing import Final

HEAD: Final = "0003"
"""The last step."""
