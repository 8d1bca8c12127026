"""Our flags as a provider of the OpenFeature SDK, for code that is written against it. Needs `openfeature-sdk`.

api.set_provider(Flags())
api.get_client().get_boolean_value("export_functionality", False)
"""

from functools import partialmethod
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider import AbstractProvider, Metadata

from modules.flags import evaluation, protocol


class Flags(AbstractProvider):
    """Answers for the context in use, or for the one that is given: `targeting_key` is the person's public id, and
    `organisation`, `sector` and `entitled_modules` are attributes."""

    def get_metadata(self) -> Metadata:
        return Metadata(name="MarketEdge")

    def _resolve(
        self, value_type: str, flag_key: str, default_value: Any, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[Any]:
        told = evaluation.explain(flag_key, default=default_value, context=context_of(evaluation_context))
        fault = protocol.fault(told, value_type)
        if fault:
            return FlagResolutionDetails(default_value, ErrorCode(fault), told.sentence, reason="ERROR")
        return FlagResolutionDetails(
            told.value, reason=protocol.reason(told), variant=told.variant, flag_metadata=protocol.metadata(told)
        )

    resolve_boolean_details = partialmethod(_resolve, "boolean")
    resolve_string_details = partialmethod(_resolve, "string")
    resolve_integer_details = partialmethod(_resolve, "integer")
    resolve_float_details = partialmethod(_resolve, "float")
    resolve_object_details = partialmethod(_resolve, "object")


def context_of(given: EvaluationContext | None) -> evaluation.Context | None:
    """None, for the context in use, where nothing is given."""
    if given is None or not (given.targeting_key or given.attributes):
        return None
    said: Any = given.attributes
    modules = said.get("entitled_modules")
    return evaluation.Context(
        organisation=said.get("organisation", ""),
        person=given.targeting_key or "",
        sector=said.get("sector", ""),
        entitled_modules=None if modules is None else frozenset(modules),
    )
