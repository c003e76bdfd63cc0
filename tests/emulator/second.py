"""LocalStack 4.14 as it comes from PyPI, with moto behind functions and tables; run by the Python that has it.

LocalStack's own functions want Docker and its tables want Java. moto, which comes with it, keeps both as records: a
stack can be made, changed and destroyed, and no code of it runs.
"""

from __future__ import annotations

from typing import Any

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.api.lambda_ import LambdaApi
from localstack.runtime.main import main
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service

BY_MOTO = {"lambda": LambdaApi, "dynamodb": DynamodbApi}

for_provider = Service.for_provider


def with_moto(provider: Any, *dispatching: Any, **options: Any) -> Any:
    """The service of a provider; moto's where it is one of `BY_MOTO`."""
    if provider.service in BY_MOTO:
        return for_provider(BY_MOTO[provider.service](), MotoFallbackDispatcher)
    return for_provider(provider, *dispatching, **options)


Service.for_provider = staticmethod(with_moto)

if __name__ == "__main__":
    main()
