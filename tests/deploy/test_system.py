"""The system map agrees with the code of the services, and with itself."""

import re
from importlib import import_module

import pytest
from pydantic_settings import BaseSettings

from deploy.resources import Default, Program, PublicUrl, RestUrl, ServerAddress, Service
from deploy.system import KAFKA, SYSTEM
from schemas import CATALOGUE
from schemas.topics import TOPICS
from tests.compose.programs import options_of, settings_of, source_of
from tests.contracts.event_flow import publishers

CHOSEN_BY_THE_RUNNER = {"HOST", "PORT", "METRICS_HOST", "METRICS_PORT"}
PROGRAMS = [*SYSTEM.all_processes, *SYSTEM.jobs]

every_service = pytest.mark.parametrize("service", SYSTEM.services, ids=lambda service: service.name)
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)


@every_service
def test_a_service_consumes_the_topics_of_its_handlers(service: Service) -> None:
    handlers = import_module(f"{service.package}.handlers").HANDLERS
    assert set(service.consumes) == {event.topic for event in handlers}


@every_service
def test_a_service_publishes_the_topics_of_the_events_that_it_makes(service: Service) -> None:
    made = {event for event, services in publishers().items() if service.package in services}
    assert set(service.publishes) == {event.topic for event in made}


@every_service
def test_the_docstring_of_a_service_lists_the_same_topics(service: Service) -> None:
    docstring = import_module(service.package).__doc__ or ""
    assert _listed(docstring, "publishes") == service.publishes
    assert _listed(docstring, "consumes") == service.consumes


def _listed(docstring: str, verb: str) -> tuple[str, ...]:
    found = re.search(rf"^{verb} +(.+)$", docstring, re.M)
    return tuple(found[1].split(", ")) if found else ()


@every_program
def test_a_program_exists(program: Program) -> None:
    assert source_of(program.module)


@every_program
def test_a_program_gets_every_setting_that_it_requires_and_none_that_it_does_not_read(program: Program) -> None:
    settings = settings_of(program.module)
    read = {name.upper() for name in settings.model_fields} if settings else options_of(program.module)
    required = _required(settings) if settings else set()
    assert required <= set(program.settings) | CHOSEN_BY_THE_RUNNER
    assert set(program.settings) <= read


def _required(settings: type[BaseSettings]) -> set[str]:
    return {name.upper() for name, field in settings.model_fields.items() if field.is_required()}


@every_program
def test_defaults_are_those_of_the_code_where_it_has_one(program: Program) -> None:
    settings = settings_of(program.module)
    for name, source in program.settings.items():
        field = settings.model_fields[name.lower()] if settings else None
        if field and not field.is_required() and isinstance(source, Default):
            # An empty variable counts as not set.
            assert (source.value or None) == (field.default or None), name


def test_access_tokens_are_for_all_services() -> None:
    default = settings_of("customer_svc.main")
    assert default
    assert default.model_fields["jwt_audiences"].default == ",".join(service.package for service in SYSTEM.services)


def test_each_process_listens_on_ports_of_its_own() -> None:
    names = [name for program in SYSTEM.all_processes for name in program.listens_on.values()]
    assert sorted(names) == sorted(port.name for service in SYSTEM.services for port in service.ports)


@every_program
def test_a_program_connects_to_servers_that_the_map_has_and_whose_address_it_gets(program: Program) -> None:
    assert set(program.connects_to) <= set(SYSTEM.servers)
    assert {server.setting for server in program.connects_to} <= set(program.settings)


@every_program
def test_a_program_waits_for_each_server_whose_address_it_gets(program: Program) -> None:
    servers = {source.server for source in program.settings.values() if isinstance(source, ServerAddress)}
    # REST fronts get the address of Kafka, which the settings of every process require, and do not connect to it.
    assert servers - {KAFKA} <= set(program.connects_to)


def test_urls_lead_to_services_that_the_map_has() -> None:
    names = {service.name for service in SYSTEM.services}
    for program in SYSTEM.all_processes:
        assert {one.service for one in program.settings.values() if isinstance(one, RestUrl | PublicUrl)} <= names


def test_every_topic_has_a_publisher_and_every_published_topic_exists() -> None:
    published = {topic for service in SYSTEM.services for topic in service.publishes}
    consumed = {topic for service in SYSTEM.services for topic in service.consumes}
    assert published == set(TOPICS) == {event.topic for event in CATALOGUE.values()}
    assert consumed <= published


def test_every_service_has_a_topic_for_its_dead_letters() -> None:
    dead_letters = {service.dead_letter_topic for service in SYSTEM.services}
    assert {topic.name for topic in SYSTEM.topics} == {*TOPICS, *dead_letters}


def test_events_never_expire() -> None:
    assert {topic.retention_ms for topic in SYSTEM.topics} == {-1}


def test_names_and_ports_are_unique() -> None:
    names = [one.name for one in PROGRAMS]
    ports = [port.name for port in SYSTEM.ports]
    settings = [port.setting for port in SYSTEM.ports if port.setting]
    preferred = [port.preferred for port in SYSTEM.ports if port.preferred]
    for values in (names, ports, settings, preferred):
        assert len(set(values)) == len(values)
