"""The guards of the product, each with what it looks like when it is taken out."""

from pathlib import Path

from tests.mutants import api, flag_admin, flags, operations, server, sign_in, tenancy, tokens

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = (
    *tenancy.MUTANTS,
    *sign_in.MUTANTS,
    *tokens.MUTANTS,
    *api.MUTANTS,
    *flags.MUTANTS,
    *flag_admin.MUTANTS,
    *server.MUTANTS,
    *operations.MUTANTS,
)
