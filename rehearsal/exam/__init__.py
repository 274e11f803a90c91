"""The rehearsal of a live exam, from registration to the merit list, with a reconciliation at its end."""
