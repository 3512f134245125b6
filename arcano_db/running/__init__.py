"""What runs beside the app or looks after it: worker, sweeper, doctor, metrics."""
