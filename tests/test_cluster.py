"""``compose.cluster.yaml``, as far as it can be checked without starting a cluster; nothing here runs Qdrant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from app.settings import load_settings
from app.settings.schema import Store

ROOT = Path(__file__).parents[1]
NODES = ("qdrant-1", "qdrant-2", "qdrant-3")
OURS = ("server", "chat")
KEY = re.compile(r"^\$\{SYMPOSIA_STORE_API_KEY:\?.+\}$")
HTTP, PEERS = 6333, 6335


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def cluster() -> dict[str, Any]:
    return read("compose.cluster.yaml")


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return read("compose.yaml")


def published(cluster: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Service, address, port of this machine and port of the container."""
    for name, service in cluster["services"].items():
        for port in service["ports"]:
            yield (name, *port.split(":"))


def argument(service: dict[str, Any], name: str) -> str:
    command: list[str] = service["command"]
    return command[command.index(name) + 1]


def test_there_are_three_nodes_and_symposia(cluster: dict[str, Any]) -> None:
    assert set(cluster["services"]) == {*NODES, *OURS}


def test_ports_are_distinct_and_published_on_this_machine_only(cluster: dict[str, Any]) -> None:
    ports = list(published(cluster))
    assert {address for _, address, _, _ in ports} == {"127.0.0.1"}
    assert len({port for _, _, port, _ in ports}) == len(ports)
    for node in NODES:
        assert {inside for name, _, _, inside in ports if name == node} == {"6333", "6334"}
    assert str(PEERS) not in {inside for _, _, _, inside in ports}


def test_the_first_node_starts_the_cluster_and_the_others_join_it(cluster: dict[str, Any]) -> None:
    services = cluster["services"]
    for node in NODES:
        uri = urlsplit(argument(services[node], "--uri"))
        assert (uri.hostname, uri.port) == (node, PEERS)
        assert services[node]["environment"]["QDRANT__CLUSTER__ENABLED"] == "true"
        assert services[node]["environment"]["QDRANT__CLUSTER__P2P__PORT"] == str(PEERS)
    first, *others = NODES
    assert "--bootstrap" not in services[first]["command"]
    assert "depends_on" not in services[first]
    for node in others:
        assert argument(services[node], "--bootstrap") == argument(services[first], "--uri")
        assert services[node]["depends_on"] == {first: {"condition": "service_healthy"}}


def test_each_node_keeps_its_data_in_a_volume_of_its_own(cluster: dict[str, Any]) -> None:
    volumes = [cluster["services"][node]["volumes"] for node in NODES]
    assert all(len(each) == 1 and each[0].endswith(":/qdrant/storage") for each in volumes)
    names = {each[0].split(":")[0] for each in volumes}
    assert len(names) == len(NODES)
    assert names <= set(cluster["volumes"])


def test_nodes_are_those_of_the_other_file_but_for_the_cluster(cluster: dict[str, Any], alone: dict[str, Any]) -> None:
    one = alone["services"]["qdrant"]
    for node in NODES:
        service = cluster["services"][node]
        for same in ("image", "healthcheck", "cap_drop", "security_opt", "restart"):
            assert service[same] == one[same], same


def test_symposia_runs_as_in_the_other_file_and_waits_for_all_nodes(
    cluster: dict[str, Any], alone: dict[str, Any]
) -> None:
    for name in OURS:
        service, one = cluster["services"][name], alone["services"][name]
        assert service["depends_on"] == {node: {"condition": "service_healthy"} for node in NODES}
        store = {key for key in service["environment"] if key.startswith("SYMPOSIA_STORE_")}
        rest = {key: value for key, value in service["environment"].items() if key not in store}
        assert rest == {key: value for key, value in one["environment"].items() if key not in store}
        assert {k: v for k, v in service.items() if k not in {"environment", "depends_on"}} == {
            k: v for k, v in one.items() if k not in {"environment", "depends_on"}
        }


def test_every_node_asks_for_the_key_that_symposia_shows_and_it_stands_in_no_file(cluster: dict[str, Any]) -> None:
    services = cluster["services"]
    keys = {services[node]["environment"]["QDRANT__SERVICE__API_KEY"] for node in NODES}
    keys |= {services[name]["environment"]["SYMPOSIA_STORE_API_KEY"] for name in OURS}
    [key] = keys
    assert KEY.match(key)


def test_settings_exist_and_fit_the_cluster(cluster: dict[str, Any], tmp_path: Path) -> None:
    services = cluster["services"]
    for name in OURS:
        env = {k: v for k, v in services[name]["environment"].items() if k.startswith("SYMPOSIA_")}
        store = load_settings(env=env, folder=tmp_path).settings.store
        named = {k.removeprefix("SYMPOSIA_STORE_").lower() for k in env if k.startswith("SYMPOSIA_STORE_")}
        assert named <= set(Store.model_fields)
        assert 2 <= store.replicas <= len(NODES)
        assert 1 <= store.write_consistency <= store.replicas
        assert store.shards >= 1
        assert store.sharding == "expert"
        assert urlsplit(store.url).port == HTTP


def test_all_nodes_answer_to_the_name_that_symposia_calls(cluster: dict[str, Any]) -> None:
    services = cluster["services"]
    host = urlsplit(services["server"]["environment"]["SYMPOSIA_STORE_URL"]).hostname
    for node in NODES:
        assert host in services[node]["networks"]["default"]["aliases"]
