"""How flags are used: counted in each process, flushed once a minute into hourly rows, read by the admin site."""
