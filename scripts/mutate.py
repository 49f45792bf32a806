"""Mutation testing of idsync_cli/core with mutmut: runs it, then shows every mutant that lived.

mutmut passes decorated functions over. The core has much to say in properties, so the two
functions of mutmut that decide this are taught about them here; the lock file pins its version.
"""

import sys
from collections.abc import Iterable
from typing import Any

import libcst as cst
from mutmut.__main__ import cli
from mutmut.mutation import file_mutation
from mutmut.mutation.file_mutation import Mutation, MutationVisitor

PROPERTIES = {"property", "cached_property"}

skips = MutationVisitor._skip_node_and_children
arrange = file_mutation.function_trampoline_arrangement


def is_property(node: cst.CSTNode) -> bool:
    """Whether the node is a function with one decorator, a property's."""
    if not isinstance(node, cst.FunctionDef) or len(node.decorators) != 1:
        return False
    decorator = node.decorators[0].decorator
    return isinstance(decorator, cst.Name) and decorator.value in PROPERTIES


def skips_all_but_properties(self: MutationVisitor, node: cst.CSTNode) -> bool:
    """Mutate the body of a property as that of any method."""
    if is_property(node):
        assert isinstance(node, cst.FunctionDef)
        return skips(self, node.with_changes(decorators=()))
    return skips(self, node)


def arrange_property(
    function: cst.FunctionDef, mutants: Iterable[Mutation], class_name: str | None
) -> Any:
    """Keep the variants of a property plain functions; only what picks among them is a property."""
    if not is_property(function):
        return arrange(function, mutants, class_name)
    plain = function.with_changes(decorators=())
    declarations, methods, assignments, names = arrange(plain, mutants, class_name)
    picker = methods[0]
    assert isinstance(picker, cst.FunctionDef)
    picker = picker.with_changes(decorators=(*function.decorators, *picker.decorators))
    return declarations, [picker, *methods[1:]], assignments, names


MutationVisitor._skip_node_and_children = skips_all_but_properties  # type: ignore[method-assign]
file_mutation.function_trampoline_arrangement = arrange_property

if __name__ == "__main__":
    sys.exit(cli())
