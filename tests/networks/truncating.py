"""Integers as ONNX counts: division drops the fraction, and a remainder has the sign of C."""

import math


class TruncatingInt(int):
    """What an exported graph makes of a side whose size it does not know.

    Python rounds down, `-33 % 8 == 7`; C and ONNX towards 0, `-33 % 8 == -1`.
    """

    def __add__(self, other):
        return TruncatingInt(int(self) + int(other))

    def __sub__(self, other):
        return TruncatingInt(int(self) - int(other))

    def __rsub__(self, other):
        return TruncatingInt(int(other) - int(self))

    def __neg__(self):
        return TruncatingInt(-int(self))

    def __mul__(self, other):
        return TruncatingInt(int(self) * int(other))

    def __mod__(self, other):
        return TruncatingInt(math.fmod(self, other))

    def __floordiv__(self, other):
        return TruncatingInt(int(self) / int(other))
