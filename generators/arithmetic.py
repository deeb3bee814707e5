"""A calculator: arithmetic is computed, not remembered."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from decimal import Decimal, DecimalException, DivisionByZero, Overflow, localcontext

from indexes.errors import InputError

DIGITS = 28
GUARD = 10
"""Further digits, with which is calculated before the result is rounded, so that 1/3*3 is 1."""
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
    """The value of an arithmetic expression in Python's notation, in decimal arithmetic, rounded to 28 digits.

    >>> calculate("17*23"), calculate("1/8"), calculate("1/3*3")
    ('391', '0.125', '1')

    Raises
    ------
    InputError
        It is no such expression, or has no value (division by zero, a root of a negative number), or one out of reach.
    """
    try:
        tree = ast.parse(expression, mode="eval")
        with localcontext() as context:
            context.prec = DIGITS + GUARD
            value = _value(tree.body, expression)
            context.prec = DIGITS
            return _shown(value + 0)  # which rounds, and makes -0 a plain 0
    except (SyntaxError, DecimalException, RecursionError) as error:
        raise InputError(
            f"{expression!r} cannot be calculated: {_reason(error)}.",
            "Check the numbers and signs, then ask again.",
        ) from error


def _value(node: ast.expr, expression: str) -> Decimal:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Decimal(ast.get_source_segment(expression, node) or "")  # a float would lose digits
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, expression)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _combined(node.op, _value(node.left, expression), _value(node.right, expression))
    raise SyntaxError(ast.dump(node))


def _combined(sign: ast.operator, left: Decimal, right: Decimal) -> Decimal:
    if (isinstance(sign, ast.Div | ast.Mod) and not right) or (isinstance(sign, ast.Pow) and not left and right < 0):
        raise DivisionByZero
    if isinstance(sign, ast.Pow) and abs(right) > LARGEST_EXPONENT:
        raise Overflow
    if isinstance(sign, ast.Mod) and abs(left) >= abs(right) * 10**DIGITS:
        raise Overflow  # the remainder would be one of lost digits
    return _BINARY[type(sign)](left, right)


def _shown(value: Decimal) -> str:
    whole = value == value.to_integral_value() and abs(value) < 10**DIGITS
    return str(value.quantize(Decimal(1))) if whole else f"{value.normalize():g}"


def _reason(error: Exception) -> str:
    if isinstance(error, DivisionByZero):
        return "it divides by zero"
    if isinstance(error, Overflow):
        return "its numbers become too large"
    return (
        "it has no value in real numbers" if isinstance(error, DecimalException) else "it is no arithmetic expression"
    )
