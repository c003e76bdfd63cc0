"""The model file: `front` (raw columns to tables), the torch body, `graph` (the whole), and `parity` (the proof)."""
