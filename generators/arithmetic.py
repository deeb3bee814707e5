"""A calculator: arithmetic is computed, not remembered."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext

from indexes.errors import InputError

DIGITS = 28
LARGEST_EXPONENT = 1000

_BINARY: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def calculate(expression: str) -> str:
    """The value of an arithmetic expression in decimal arithmetic of 28 digits.

    >>> calculate("17*23")
    '391'
    >>> calculate("1/8")
    '0.125'
    """
    try:
        tree = ast.parse(expression, mode="eval")
        with localcontext() as context:
            context.prec = DIGITS
            value = _value(tree.body) + 0  # which makes -0 a plain 0
            whole = value == value.to_integral_value() and abs(value) < 10**DIGITS
            return str(value.quantize(Decimal(1))) if whole else f"{value.normalize():g}"
    except (SyntaxError, DivisionByZero, InvalidOperation, Overflow, RecursionError) as error:
        raise InputError(
            f"{expression!r} cannot be calculated: {type(error).__name__}.",
            "Check the numbers and signs, then ask again.",
        ) from error


def _value(node: ast.expr) -> Decimal:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Decimal(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow) and abs(right) > LARGEST_EXPONENT:
            raise Overflow
        return _BINARY[type(node.op)](left, right)
    raise SyntaxError(ast.dump(node))
