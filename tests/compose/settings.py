"""Settings: every variable is read by its program, valid, and documented in env.example."""

import os
from pathlib import PurePosixPath
from unittest.mock import patch

from pydantic import ValidationError

from tests.compose.corruptions import Corruptions, remove, set_example, set_value
from tests.compose.deployment import Deployment, module_of, mounts, variables
from tests.compose.programs import options_of, settings_of


def settings_are_read(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.programs.items():
        settings = settings_of(module_of(service))
        known = {field.upper() for field in settings.model_fields} if settings else options_of(module_of(service))
        wrong += [f"{name}: nothing reads {key}" for key in service.get("environment", {}) if key not in known]
    return wrong


def settings_are_valid(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.programs.items():
        settings = settings_of(module_of(service))
        given = {k: "given by the caller" if v is None else v for k, v in service.get("environment", {}).items()}
        if "JWT_PRIVATE_KEY_FILE" in given:
            given["JWT_PRIVATE_KEY_FILE"] = _key_on_this_machine(deployment, name)
        try:
            with patch.dict(os.environ, given, clear=True):
                _ = settings() if settings else None
        except ValidationError as error:
            wrong += [f"{name}: {one['loc']}: {one['msg']}" for one in error.errors()]
    return wrong


def _key_on_this_machine(deployment: Deployment, name: str) -> str:
    """The path of a real key, provided that the container reads its key where the job writes it."""
    job, user = deployment.programs["signing-key"], deployment.programs[name]
    written, read = job["command"][-1], user["environment"]["JWT_PRIVATE_KEY_FILE"]
    directory = str(PurePosixPath(read).parent)
    shared = mounts(job).get(directory) == mounts(user).get(directory) is not None
    return str(deployment.signing_key) if shared and written == read and "signing-key" in user["depends_on"] else read


def variables_are_documented(deployment: Deployment) -> list[str]:
    used, documented = variables(deployment.compose), deployment.env | deployment.defaults
    wrong = [f"{name} is in compose.yaml and not in env.example" for name in used if name not in documented]
    wrong += [f"{name} is in env.example and not in compose.yaml" for name in documented if name not in used]
    wrong += [f"{name} has no default" for name in used if not used[name] and name not in deployment.env]
    defaults = deployment.defaults.items()
    return wrong + [f"the default of {name} is not {value}" for name, value in defaults if {value} != used.get(name)]


CORRUPTIONS: Corruptions = {
    settings_are_read: [
        set_value("order/environment/JWKS_URI", "http://customer:8000/.well-known/jwks.json"),
        set_value("topics/environment/KAFKA_SERVERS", "kafka:9092"),
    ],
    settings_are_valid: [
        remove("order/environment/KAFKA_BOOTSTRAP_SERVERS"),
        set_value("product/environment/MONGO_URL", "http://mongo"),
        remove("customer-migrations/environment/POSTGRES_URL_FILE"),
        remove("staff-account/environment/BOOTSTRAP_PASSWORD_FILE"),
        set_value("customer/volumes", []),
        set_value("signing-key/command", ["python", "-m", "deploy.signing_key", "/x.pem"]),
    ],
    variables_are_documented: [
        set_value("order/environment/LOG_LEVEL", "${VERBOSITY}"),
        set_value("order/environment/LOG_LEVEL", "${LOG_LEVEL:-DEBUG}"),
        set_example("UNUSED", "1"),
        set_value("gateway/environment/TRUSTED_PROXIES", "${TRUSTED_PROXIES}"),
    ],
}
