"""The tables of the server. Numbered steps create and upgrade them at the start, each once."""

import asyncpg

_LOCK = 7_205_759_403_792_793  # Any number that no other advisory lock uses.

_STEPS = (
    """
    create table auth.secrets (
        name text primary key,
        value bytea not null
    );
    create table auth.users (
        id uuid primary key,
        email text not null constraint users_email_key unique,
        password_hash text,
        email_confirmed_at timestamptz,
        confirmation_sent_at timestamptz,
        recovery_sent_at timestamptz,
        last_sign_in_at timestamptz,
        banned_until timestamptz,
        app_metadata jsonb not null default '{}',
        user_metadata jsonb not null default '{}',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
    );
    create table auth.sessions (
        id uuid primary key,
        user_id uuid not null references auth.users on delete cascade,
        method text not null,
        active_token bigint not null default 0,
        created_at timestamptz not null default now()
    );
    create index sessions_user_id_idx on auth.sessions (user_id);
    create table auth.refresh_tokens (
        token_hash bytea primary key,
        session_id uuid not null references auth.sessions on delete cascade,
        number bigint not null,
        rotated_at timestamptz,
        unique (session_id, number)
    );
    create table auth.one_time_tokens (
        token_hash bytea primary key,
        user_id uuid not null references auth.users on delete cascade,
        kind text not null,
        expires_at timestamptz not null,
        unique (user_id, kind)
    );
    """,
    """
    create table auth.mail_requests (
        id bigint generated always as identity primary key,
        kind text not null,
        email text not null,
        redirect_to text
    );
    """,
)


async def upgrade(connection: asyncpg.Connection) -> None:
    """Upgrade schema `auth` to this version. Servers that start at the same time wait for each other."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        # CREATE SCHEMA IF NOT EXISTS needs a privilege on the database even if the schema exists.
        if not await connection.fetchval("select to_regnamespace('auth') is not null"):
            await connection.execute("create schema auth")
        await connection.execute(
            "create table if not exists auth.schema_steps"
            " (number int primary key, applied_at timestamptz not null default now())"
        )
        done = await connection.fetchval("select coalesce(max(number), 0) from auth.schema_steps")
        for number, step in enumerate(_STEPS[done:], done + 1):
            await connection.execute(step)
            await connection.execute("insert into auth.schema_steps (number) values ($1)", number)
