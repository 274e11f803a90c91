"""The programs of `ias up`. They need `devservers`, which is not in the wheel and the image."""
