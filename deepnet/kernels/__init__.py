"""The ground floor: arithmetic on arrays, compiled for this CPU, each beside a plain NumPy twin."""
