"""The settings of any Gymnasium environment. Imported for validation: neither torch nor Gymnasium is loaded here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from math import ceil
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, field_validator, model_validator

from harness.config import EnvironmentConfig
from harness.environments.gymnasium.registered_ids import is_surely_unknown, own_ids, own_step_limit, unknown_id_message

Layout = Literal["vector", "hwc", "chw", "hw"]
IMAGE_LAYOUTS: frozenset[Layout] = frozenset({"hwc", "chw", "hw"})

_NAME = r"[^\W\d]\w*"
_MODULE = re.compile(rf"{_NAME}(\.{_NAME})*")
_CLASS = re.compile(rf"{_NAME}(\.{_NAME})*:{_NAME}(\.{_NAME})*")
_ID = re.compile(r"([\w:.-]+/)?[\w:.-]+-v\d+")
_COLUMNS = frozenset({"step", "episode", "return", "length", "phase"})
_SETTINGS_OF_MAKE = {"max_episode_steps": "write 'episode_steps' instead", "id": "write it beside 'kwargs'"}


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class GymnasiumConfig(EnvironmentConfig):
    """Any environment that is registered with Gymnasium (Towers et al. 2024, arXiv 2407.17032), by its id."""

    model_config = ConfigDict(serialize_by_alias=True)  # 'import' is a word of Python's, so the field has another name

    task_field: ClassVar[str] = "id"

    id: str
    """The registered id with its version, such as ``CartPole-v1``; filled by the task's name if not set."""

    kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    """What the environment's own constructor is given, by name."""

    modules: Annotated[tuple[str, ...], BeforeValidator(_as_list, str | list[str])] = Field(default=(), alias="import")
    """Modules that are imported before the environment is made, so that they register it; one, or a list."""

    wrappers: tuple[str | dict[str, JsonValue], ...] = ()
    """Wrappers around the environment, innermost first: each an import path ``package.module:Class``, or a mapping of
    ``class``, that path, and what the class is given beside the environment."""

    observation: Layout | None = None
    """What observations are: ``vector`` (whatever they are, flattened to numbers), or an image, given as ``hwc`` (height,
    width, channels), ``chw`` or ``hw``. ``vector`` if not set; but uint8 arrays of two or three dimensions are declared."""

    keys: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Keys of dictionary observations: the parts of the vector in their order, or the one that is the image; null for all."""

    frame_stack: int = Field(default=1, ge=1, le=100)
    """Observations that are seen together, the newest last; an episode begins with its first one repeated."""

    action_repeat: int = Field(default=1, ge=1, le=1000)
    """Steps of the environment that each action is done for; their rewards are added."""

    action_limit: float | None = Field(default=None, gt=0)
    """The largest continuous action where the environment has no bound, or one of a million and more. The agent's own go from
    -1 to 1 and are scaled to the environment's bounds."""

    episode_steps: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Steps of the environment after which an episode is cut; null for the registered number, if there is one."""

    metrics: tuple[str, ...] = ()
    """Numbers in the info of an episode's last step that evaluations record; ``is_success`` and ``success`` always are, as
    ``success``."""

    processes: int = Field(default=1, ge=1, le=1024)
    """Processes that share the environments, for those that take more than 0.1 ms a step; the numbers do not depend on it."""

    @field_validator("id")
    @classmethod
    def _check_id(cls, env_id: str) -> str:
        if not _ID.fullmatch(env_id) or ":" in env_id:
            hint = "; a module to import is named under 'import'" if ":" in env_id else ""
            raise ValueError(f"expected an id with its version, such as CartPole-v1, got {env_id!r}{hint}")
        return env_id

    @field_validator("kwargs")
    @classmethod
    def _check_kwargs(cls, kwargs: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name, remedy in _SETTINGS_OF_MAKE.items():
            if name in kwargs:
                raise ValueError(f"{name!r} is none of the constructor's: {remedy}")
        return kwargs

    @field_validator("metrics")
    @classmethod
    def _check_metrics(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        for name in metrics:
            if name in _COLUMNS:
                raise ValueError(f"{name!r} is a column of every evaluation already: choose another name in the info")
        return metrics

    @field_validator("modules")
    @classmethod
    def _check_modules(cls, modules: tuple[str, ...]) -> tuple[str, ...]:
        for module in modules:
            if not _MODULE.fullmatch(module):
                raise ValueError(f"expected the name of a module such as my_package.environments, got {module!r}")
            _require_package(module)
        return modules

    @field_validator("wrappers")
    @classmethod
    def _check_wrappers(cls, wrappers: tuple[str | dict[str, JsonValue], ...]) -> tuple[str | dict[str, JsonValue], ...]:
        for wrapper in wrappers:
            path, _ = split_wrapper(wrapper)
            if not isinstance(path, str) or not _CLASS.fullmatch(path):
                what = "an import path such as package.module:Class, or a mapping with one under 'class'"
                raise ValueError(f"expected {what}, got {wrapper!r}")
            _require_package(path.partition(":")[0])
        return wrappers

    @model_validator(mode="after")
    def _check_registered(self) -> Self:
        if not self.modules and is_surely_unknown(self.id):
            raise ValueError(unknown_id_message(self.id, own_ids()))
        return self

    @model_validator(mode="after")
    def _check_image_key(self) -> Self:
        if self.observation in IMAGE_LAYOUTS and self.keys is not None and len(self.keys) > 1:
            raise ValueError(f"keys: one part is the image, not {len(self.keys)}; choose one, or set 'observation: vector'")
        return self

    @property
    def observations(self) -> Literal["images", "vectors"]:
        """Images where they are declared."""
        return "images" if self.observation in IMAGE_LAYOUTS else "vectors"

    @property
    def episode_limit(self) -> int | None:
        """`episode_steps`, or the registered number where Gymnasium itself registers the environment; else unknown."""
        steps = self.episode_steps or own_step_limit(self.id)
        return None if steps is None else ceil(steps / self.action_repeat)

    @property
    def frames_per_step(self) -> int:
        """Steps of the environment in one of the agent's."""
        return self.action_repeat


def split_wrapper(wrapper: str | Mapping[str, JsonValue]) -> tuple[Any, dict[str, Any]]:
    """The import path of a wrapper's class, and what it is given beside the environment."""
    if isinstance(wrapper, str):
        return wrapper, {}
    return wrapper.get("class"), {name: value for name, value in wrapper.items() if name != "class"}


def _require_package(module: str) -> None:
    """Refuse a module whose package is not there; nothing is imported, so a part of a package is not looked for."""
    package = module.partition(".")[0]
    if find_spec(package) is None:
        raise ValueError(f"there is no module {package!r} here: install its package, or put its folder on PYTHONPATH")
