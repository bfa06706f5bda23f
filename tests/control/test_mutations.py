"""Each handling is seen to matter: with it removed, the test that is named turns red.

The package is copied, one place of the copy is changed, and the tests run against the copy in a process of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CONTROL = "service/control"

MUTATIONS: dict[str, tuple[str, str, str, str]] = {
    "B1, a 201 is believed": (
        f"{CONTROL}/assigning.py",
        "        for pause in context.patience.read_backs:",
        "        return\n        for pause in context.patience.read_backs:",
        "test_assigning.py::test_a_lost_save_is_not_believed",
    ),
    "B2, null is believed to be a cleared row": (
        f"{CONTROL}/releasing.py",
        "    observation = await context.client.fetch_instance(lease.name)\n"
        "    return observation is not None and observation.id == lease.instance",
        "    return True",
        "test_releasing.py::test_a_null_row_is_neither_cleared_nor_believed_while_the_database_is_down",
    ),
    "B3, a time-out is taken for a refusal": (
        f"{CONTROL}/assigning.py",
        '        await context.pool.mark(lease, "unknown")\n        await _count_unknown(context, lease, actor)',
        '        await context.pool.abandon(lease, "refused", actor=actor)',
        "test_assigning.py::test_an_unknown_set_is_sent_again_for_the_same_proxy_and_then_given_up",
    ),
    "B3, a late set is taken for somebody's choice": (
        "service/pool/instances.py",
        "        if late is not None:\n            return Row.LATE\n",
        "",
        "test_releasing.py::test_it_lands_over_the_next_proxy",
    ),
    "B8, the list's open proves a reconnect": (
        f"{CONTROL}/reconnecting.py",
        '            if state == "open":\n                await _reconnected',
        "            if True:\n                await _reconnected",
        "test_assigning.py::test_an_instance_in_a_reconnect_loop_is_not_called_applied",
    ),
    "B10, a stuck instance is not restarted": (
        f"{CONTROL}/reconnecting.py",
        'elif state in ("open", "connecting") and',
        'elif state == "open" and',
        "test_byhand.py::test_a_stuck_number_is_cured_by_rotation",
    ),
    "B11, restarted while the DB is down": (
        f"{CONTROL}/reconnecting.py",
        "    return row is not None and all(",
        "    return row is None or all(",
        "test_assigning.py::test_no_restart_while_the_database_is_down",
    ),
    "B13, the answer of a restart is believed": (
        f"{CONTROL}/reconnecting.py",
        '        if not down and (state == "close" or (state == "connecting" and not strict)):',
        "        if not down:",
        "test_assigning.py::test_a_restart_that_does_nothing_is_not_believed",
    ),
    "B14, a missing state is a close": (
        f"{CONTROL}/releasing.py",
        'await context.client.connection_state(lease.name) == "close" and await',
        'await context.client.connection_state(lease.name) in ("close", None) and await',
        "test_warts.py::test_a_state_that_is_missing_proves_no_close",
    ),
    "B15, a deleted instance's proxy is free at once": (
        f"{CONTROL}/absence.py",
        'rest_ms=context.policy.orphan_rest_ms, rest_reason="orphan"',
        "rest_ms=0",
        "test_brakes.py::test_an_absent_instance_is_asked_for_and_only_a_404_ends_its_lease",
    ),
    "B22, refusals are not counted": (
        "lua/lib/leases.lua",
        "local BRAKE_AFTER = 5",
        "local BRAKE_AFTER = 5000",
        "test_brakes.py::test_five_refusals_of_different_proxies_stop_and_a_probe_with_the_last_good_one_reopens",
    ),
    "C7, a shrunken list is believed": (
        f"{CONTROL}/brake.py",
        "quota = 0 if engaged else",
        "quota =",
        "test_brakes.py::test_a_wrong_list_releases_nothing",
    ),
    "C9, an old code and time are believed": (
        f"{CONTROL}/decide.py",
        "        and now.disconnection_at != lease.disconnected_at\n",
        "",
        "test_releasing.py::test_an_old_code_and_time_prove_nothing",
    ),
    "P5, a final close of before the clear is believed": (
        f"{CONTROL}/releasing.py",
        'await context.client.connection_state(lease.name) == "close" and await',
        "await",
        "test_releasing.py::test_paired_again_before_the_row_was_cleared_the_old_close_proves_nothing",
    ),
    "P5, the row is not read again at the end": (
        f"{CONTROL}/releasing.py",
        '        await context.pool.mark(lease, "unknown")\n        return False\n',
        "        pass\n",
        "test_releasing.py::test_it_lands_between_the_clear_and_the_restart",
    ),
    "P5, the socket is not waited for": (
        f"{CONTROL}/reconnecting.py",
        '        if not down and (state == "close" or (state == "connecting" and not strict)):',
        "        if not down:",
        "test_releasing.py::test_released_by_hand_while_open_the_next_one_gets_the_proxy_after_the_socket_has_moved",
    ),
    "a reservation of old is set again whoever uses its proxy": (
        f"{CONTROL}/decide.py",
        "GiveUp(lease) if seen.contested and seen.row != lease.proxy_id else Resume(lease)",
        "Resume(lease)",
        "test_lives.py::test_a_reservation_comes_back_whose_proxy_is_used_by_another",
    ),
    "the proxy of a lease of old is set again whoever uses it": (
        f"{CONTROL}/decide.py",
        " or seen.contested or ",
        " or ",
        "test_lives.py::test_a_finished_release_is_lost_and_the_proxy_was_given_on",
    ),
    "another replica's step ends the tick": (
        f"{CONTROL}/context.py",
        ', "no_reservation"',
        "",
        "test_seeing.py::test_two_replicas_expire_one_reservation",
    ),
    "what Redis lost is not told again": (
        f"{CONTROL}/server.py",
        "            self._looking.write_all()\n",
        "            pass\n",
        "test_lives.py::test_a_row_seen_in_the_lost_second_is_seen_again",
    ),
    "a reading that did not count is not told again": (
        f"{CONTROL}/looking.py",
        "                    del sightings[sighting.instance]",
        "                    pass",
        "test_seeing.py::test_a_reading_that_a_lease_overtook_is_told_again",
    ),
    "a tail without a successor is not cleared": (
        f"{CONTROL}/decide.py",
        "replaced = lease.tail and seen.lease is not None and seen.lease.phase is not Phase.RELEASING",
        "replaced = lease.tail",
        "test_byhand.py::test_released_during_a_rotation_whose_set_is_unknown",
    ),
    "a probe runs beside the acts of the instance that it serves": (
        f"{CONTROL}/server.py",
        "            await self.acts.alone(self._waiting[0].id, self.acts.guarded(act))",
        "            await self.acts.guarded(act)",
        "test_races.py::test_a_probe_that_assigns_is_the_act_of_the_instance_it_serves",
    ),
    "B3, a set under an active lease is not known before it is sent": (
        f"{CONTROL}/assigning.py",
        '    await context.pool.mark(lease, "sending")\n',
        "",
        "test_late_sets.py::test_released_after_a_crash_in_an_assert_the_proxy_waits_for_the_set",
    ),
    "what bears the name of the old instance is cleared": (
        f"{CONTROL}/releasing.py",
        "observation is not None and observation.id == lease.instance",
        "observation is not None",
        "test_releasing.py::test_a_clear_for_the_old_instance_does_not_touch_the_new_one_of_its_name",
    ),
    "B12, a plus of a socks password is encoded": (
        "service/evolution/client.py",
        'safe = "+" if spec.protocol is Protocol.SOCKS5 else ""',
        'safe = ""',
        "../unit/test_evolution_client_calls.py::test_a_plus_stays_plain_for_socks",
    ),
    "B19, any 404 says that the instance is gone": (
        "service/evolution/verdict.py",
        """ and f'"{request.instance}"' in text""",
        "",
        "../unit/test_evolution_client_errors.py::test_any_other_404_proves_nothing",
    ),
    "B21, a repr shows the password of a row": (
        "service/evolution/models.py",
        '    password: str = field(default="", repr=False)',
        '    password: str = ""',
        "../unit/test_evolution_models.py::test_no_repr_shows_a_password",
    ),
    "B23, what the server can't use is handed out": (
        "service/models.py",
        "frozenset({Protocol.HTTP, Protocol.SOCKS5})",
        "frozenset(Protocol)",
        "test_warts.py::test_what_the_server_can_not_use_is_never_handed_out",
    ),
    "B24, what is set already is set again": (
        f"{CONTROL}/assigning.py",
        "row.names(spec) and row.instance_id in (None, lease.instance):\n            await",
        "False:\n            await",
        "test_assigning.py::test_a_cut_connection_is_unknown_and_the_row_is_asked_first",
    ),
    "B25, a message is read as a text only": (
        "service/evolution/answers.py",
        "_texts(message, depth=2)",
        "_texts(message, depth=0)",
        "../unit/test_evolution_client_errors.py::test_an_explicit_refusal_of_a_set",
    ),
    "B20, B26, a name travels raw in the filter": (
        "service/evolution/client.py",
        "?instanceName={_segment(name)}",
        "?instanceName={name}",
        "../unit/test_evolution_client_calls.py::test_names_travel_percent_encoded_in_path_and_filter",
    ),
    "B27, an unknown set is tried for ever": (
        f"{CONTROL}/context.py",
        "    set_attempts: int = 2",
        "    set_attempts: int = 1000",
        "test_assigning.py::test_a_prototype_name_ends_with_the_attempts_and_burns_one_proxy_at_a_time",
    ),
    "a name is not encoded whole": (
        "service/evolution/client.py",
        'encoded = _quoted("instance", name)',
        'encoded = _quoted("instance", name, "/%?#")',
        "test_assigning.py::test_any_name_goes_the_whole_way",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutant")
    for name in ("service", "lua", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*command, f"tests/control/{test}"], cwd=folder, env=environment, capture_output=True, text=True, timeout=50
    )


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_without_it_the_test_turns_red(copy: Path, mutation: tuple[str, str, str, str]) -> None:
    path, handling, removed, test = mutation
    text = (copy / path).read_text()
    assert text.count(handling) == 1, f"{path} does not hold this text exactly once"
    (copy / path).write_text(text.replace(handling, removed))
    try:
        result = run(copy, test)
    finally:
        (copy / path).write_text(text)
    assert result.returncode == 1, f"the test stays green or does not run:\n{result.stdout[-2000:]}"


@pytest.mark.slow
def test_unchanged_they_are_green(copy: Path) -> None:
    tests = dict.fromkeys(test.partition("::")[0] for *_, test in MUTATIONS.values())
    names = " or ".join(test.partition("::")[2] for *_, test in MUTATIONS.values())
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", names]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [*command, *(f"tests/control/{name}" for name in tests)],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=55,
    )
    assert result.returncode == 0, result.stdout[-2000:]
