"""Single parameters of what is sent to MEXC."""

from workstation.simulator.mexc.errors import illegal, missing
from workstation.simulator.request_fields import FieldReader

READER = FieldReader(missing, illegal)
required, whole, decimal = READER.required, READER.whole, READER.decimal
