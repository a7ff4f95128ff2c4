"""Settings: every variable is read by somebody, accepted by them, documented, and the same as in a local run."""

import os
from pathlib import PurePosixPath
from unittest.mock import patch

from pydantic import ValidationError

from deploy.local.services import SERVICES, Addresses, environment
from tests.compose.deployment import ROOT, Deployment, module_of, mounts, variables
from tests.compose.programs import options_of, settings_of
from tests.compose.spoiling import Spoiled, drop, example, put

_REST = dict.fromkeys(SERVICES, "http://x")


def settings_are_known(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.ours.items():
        settings = settings_of(module_of(service))
        known = {field.upper() for field in settings.model_fields} if settings else options_of(module_of(service))
        wrong += [f"{name}: nothing reads {key}" for key in service.get("environment", {}) if key not in known]
    return wrong


def settings_are_accepted(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.ours.items():
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
    """The path of a real key, if the container finds its own where the job puts it."""
    job, user = deployment.ours["signing-key"], deployment.ours[name]
    written, read = job["command"][-1], user["environment"]["JWT_PRIVATE_KEY_FILE"]
    place = str(PurePosixPath(read).parent)
    shared = mounts(job).get(place) == mounts(user).get(place) is not None
    return str(deployment.signing_key) if shared and written == read and "signing-key" in user["depends_on"] else read


def local_settings_are_given(deployment: Deployment) -> list[str]:
    wrong = []
    for service in SERVICES:
        both = [deployment.ours[name]["environment"] for name in (service, f"{service}-worker")]
        given = both[0] | both[1]
        local = environment(service, Addresses("k:1", "postgresql://p", "mongodb://m", "smtp://s", _REST, ROOT))
        wrong += [f"{service}: the local run sets {key}" for key in local if key not in given]
        same = ("SHOP_ENV", "MAIL_FROM", "STAFF_MAIL")
        wrong += [f"{service}: other {key} than locally" for key in same if given.get(key) != local.get(key)]
    return wrong


def variables_are_documented(deployment: Deployment) -> list[str]:
    used, shown = variables(deployment.compose), deployment.env | deployment.defaults
    wrong = [f"{name} is in compose.yaml and not in env.example" for name in used if name not in shown]
    wrong += [f"{name} is in env.example and not in compose.yaml" for name in shown if name not in used]
    wrong += [f"{name} has no default" for name in used if not used[name] and name not in deployment.env]
    shows = deployment.defaults.items()
    return wrong + [f"the default of {name} is not {value}" for name, value in shows if {value} != used.get(name)]


SPOILED: Spoiled = {
    settings_are_known: [
        put("order/environment/JWKS_URI", "http://customer:8000/.well-known/jwks.json"),
        put("topics/environment/KAFKA_SERVERS", "kafka:9092"),
    ],
    settings_are_accepted: [
        drop("order/environment/KAFKA_BOOTSTRAP_SERVERS"),
        put("product/environment/MONGO_URL", "http://mongo"),
        drop("customer-migrations/environment/POSTGRES_URL"),
        drop("staff-account/environment/BOOTSTRAP_PASSWORD"),
        put("customer/volumes", []),
        put("signing-key/command", ["python", "-m", "deploy.compose.signing_key", "/x.pem"]),
    ],
    local_settings_are_given: [
        drop("order/environment/PRODUCT_URL"),
        drop("customer/environment/NOTIFIER_URL"),
        put("notifier-worker/environment/MAIL_FROM", "other@example.com"),
    ],
    variables_are_documented: [
        put("order/environment/LOG_LEVEL", "${VERBOSITY}"),
        put("order/environment/LOG_LEVEL", "${LOG_LEVEL:-DEBUG}"),
        example("UNUSED", "1"),
        example("POSTGRES_PASSWORD", None),
    ],
}
