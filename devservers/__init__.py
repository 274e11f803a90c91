"""Real PostgreSQL, Valkey and a Supabase-compatible auth server under our own supervision."""
