"""Own data: tables, arrays, folders of images and functions, named on the command line.

A text such as `wine.csv?target=quality&split=0.25:7` says all that is needed to read them again.
"""

from toreq_hw.data.own.loading import load_own
from toreq_hw.data.own.spec import FORMS, Form, Spec, is_own

__all__ = ["FORMS", "Form", "Spec", "is_own", "load_own"]
