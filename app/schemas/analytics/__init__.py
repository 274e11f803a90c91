"""What people learn from their results."""
