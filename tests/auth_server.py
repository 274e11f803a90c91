"""The auth server of the tests: `python -m tests.auth_server`. It spends next to no time on passwords."""

from devservers.auth import passwords
from devservers.auth.__main__ import main

LEAST = {"PASSES": 1, "KIBIBYTES": 8}
"""The parameters of argon2 with the least work, by the names of the constants."""

if __name__ == "__main__":
    for name, value in LEAST.items():
        setattr(passwords, name, value)
    main()
