"""The model file: `front` (raw columns to tables, built by hand), the torch body, `graph` (the whole), `parity` (the proof)."""
