"""`python -m devservers.auth`: run the server with the settings of the environment."""

import os
import sys

import uvicorn

from devservers.auth.app import create_app
from devservers.auth.settings import Settings
from devservers.errors import SettingsError


def main() -> None:
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        sys.exit(f"auth: {error}")
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        # Longer than our clients keep idle connections, so that none is closed while a request is sent.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        server_header=False,
    )


if __name__ == "__main__":
    main()
