"""A small zoo: networks that are shipped, or trained again to the same bits on any machine.

from toreq_hw import models
net = models.load("digits-ternary")
models.catalogue()["mnist-int8"].accuracy, models.remake(models.get("mnist-int8")).sha256
"""

from toreq_hw.models.entries import Model, catalogue, get, load, model_of
from toreq_hw.models.remaking import Remade, remake

__all__ = ["Model", "Remade", "catalogue", "get", "load", "model_of", "remake"]
