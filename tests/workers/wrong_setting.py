"""A worker that cannot start, because the account for its notifications is no account."""

from pydantic import SecretStr

from app.config import Settings
from app.workers.supervisor import run_worker

if __name__ == "__main__":
    run_worker(Settings(fcm_service_account=SecretStr("{}")), 1)
