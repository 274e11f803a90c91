"""What `ias up` runs on this machine. It needs `devservers`, which the wheel and the image do not hold."""
