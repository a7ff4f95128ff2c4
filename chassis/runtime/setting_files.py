"""Settings from files: ``NAME_FILE`` names a file whose content is the value of ``NAME``.

For secrets: other users of the machine, and those who may look at a container, can read an environment.
"""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

SUFFIX = "_FILE"


class UnusableSetting(Exception):
    """A setting cannot be read, from the environment or from the file that is named for it."""

    def __init__(self, setting: str, why: str) -> None:
        super().__init__(f"{setting}: {why}")
        self.setting, self.why = setting, why


class Environment(EnvSettingsSource):
    """The settings that are in the environment."""

    def prepare_field_value(self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool) -> Any:
        """Return the value of a setting; raise ``UnusableSetting``."""
        try:
            return super().prepare_field_value(field_name, field, value, value_is_complex)
        except ValueError as error:
            raise UnusableSetting(field_name.upper(), f"is not JSON: {error}") from error


class SettingFiles(PydanticBaseSettingsSource):
    """The settings that are in files. White space around a value, such as the last line break, is no part of it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the content of the file that is named for a setting, None without one; raise ``UnusableSetting``."""
        name = field_name.upper()
        path = os.environ.get(name + SUFFIX)
        if not path or f"{field_name}{SUFFIX.lower()}" in self.settings_cls.model_fields:
            return None, field_name, False
        if os.environ.get(name):
            raise UnusableSetting(name + SUFFIX, f"is set, and {name} as well")
        try:
            value = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "is not text"
            raise UnusableSetting(name + SUFFIX, f"{path}: {why}") from error
        if not value:
            raise UnusableSetting(name + SUFFIX, f"{path}: is empty")
        return value, field_name, self.field_is_complex(field)

    def prepare_field_value(self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool) -> Any:
        """Return the value of a setting; raise ``UnusableSetting``."""
        try:
            return super().prepare_field_value(field_name, field, value, value_is_complex)
        except ValueError as error:
            raise UnusableSetting(field_name.upper() + SUFFIX, f"is not JSON: {error}") from error

    def __call__(self) -> dict[str, Any]:
        """Return the settings that are in files."""
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, is_complex = self.get_field_value(field, name)
            if value:
                found[key] = self.prepare_field_value(name, field, value, is_complex)
        return found


class FileSettings(BaseSettings):
    """Settings that are read from the environment, or from the files that it names."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given to the constructor, then the environment, then the files."""
        return init_settings, Environment(settings_cls), SettingFiles(settings_cls)
