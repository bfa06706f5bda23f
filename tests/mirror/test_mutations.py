"""What keeps the mirror right is seen to matter: with it removed, the test that is named turns red."""

from __future__ import annotations

import pytest

from tests.mutations import Copy, Mutation

MUTATIONS: dict[str, tuple[str, str, str, str]] = {
    "lost events are not told": (
        "service/mirror/gaps.py",
        "    if last <= position:",
        "    if True:",
        "test_mirror.py::test_lost_events_are_one_row_that_names_the_first_and_the_last[sqlite]",
    ),
    "the stream is trimmed before its events are written": (
        "service/mirror/mirror.py",
        "            lost = gap(place.position, reading)\n",
        "            lost = gap(place.position, reading)\n"
        "            if reading.events: await self.pool.mirrored(reading.events[-1].id, keep=0)\n",
        "test_kill.py::test_killed_at_any_moment[sqlite]",
    ),
    "the position is not locked": (
        "service/mirror/store.py",
        "            await connection.execute(update(POSITION).where(mine).values(batches=POSITION.c.batches + 1))\n",
        "",
        "test_compare.py::test_it_does_not_write_over_what_is_newer[postgresql]",
    ),
    "the replaced proxy is not followed": (
        "service/pool/stream.py",
        ', self.fields.get("replaces")',
        "",
        "test_mirror.py::test_both_proxies_of_a_rotation_are_followed[sqlite]",
    ),
    "a pool that is behind goes unnoticed": (
        "service/mirror/mirror.py",
        "            if reading.last < place.position:",
        "            if False:",
        "test_mirror.py::test_a_pool_that_is_behind_begins_a_new_epoch[sqlite]",
    ),
    "a rest does not end": (
        "service/mirror/mirror.py",
        "        await end_rests(connection, now)\n",
        "",
        "test_mirror.py::test_a_rest_ends_in_the_table_too[sqlite]",
    ),
    "a long name is written as it is": (
        "service/mirror/rows.py",
        "[: kind.length if isinstance(kind, String) else None]",
        "",
        "test_mirror.py::test_what_no_column_holds_is_cut_and_does_not_hold_up_the_rest[postgresql]",
    ),
    "MySQL compares as it likes": (
        "service/mirror/migrations/versions/tables.py",
        '    "mysql_collate": "utf8mb4_bin",\n',
        "",
        "test_mirror.py::test_names_that_differ_by_case_are_two[mariadb]",
    ),
    "what the mirror has yet to read counts": (
        "service/mirror/compare.py",
        "if one.id not in told]",
        "]",
        "test_compare.py::test_what_changes_while_it_looks_is_no_difference[sqlite]",
    ),
    "an emptied pool empties the table": (
        "service/mirror/compare.py",
        "        if known < listed / 2:",
        "        if False:",
        "test_compare.py::test_an_emptied_pool_does_not_empty_the_table[sqlite-0]",
    ),
    "a comparison takes what is not restored yet for removed": (
        "service/mirror/compare.py",
        "            if reading.restoring:",
        "            if False:",
        "test_restore.py::test_a_comparison_under_way_takes_nothing_for_removed[sqlite]",
    ),
    "a pool that is restored in part hands out": (
        "lua/lib/gate.lua",
        "  if meta[3] then return {'RESTORING'} end\n",
        "",
        "test_restore.py::test_a_cut_restore_hands_nothing_out_and_is_done_again[sqlite]",
    ),
    "a server that was compared with a part is not compared again": (
        "lua/finish_restore.lua",
        "local epoch = new_epoch(0)",
        "local epoch = call('HGET', K.meta, 'epoch')",
        "../lua/test_finish_restore.py::test_each_server_has_to_be_read_after_the_end[redis]",
    ),
    "an event id is given twice": (
        "lua/begin_restore.lua",
        "new_epoch(A.epoch)",
        "new_epoch(0)",
        "test_restore.py::test_with_a_clock_that_lags_no_id_and_no_token_is_given_twice[sqlite]",
    ),
    "a token is given twice": (
        "service/mirror/restore.py",
        "        token = await _last_token(connection)\n",
        "        token = 0\n",
        "test_restore.py::test_with_a_clock_that_lags_no_id_and_no_token_is_given_twice[sqlite]",
    ),
    "a lease is not restored": (
        "lua/restore.lua",
        "  if status == 'used' and lease.token",
        "  if false and lease.token",
        "test_restore.py::test_a_pool_that_has_lived_comes_back_as_it_was[sqlite-1]",
    ),
    "a damaged row is restored": (
        "service/mirror/restore.py",
        "    if proxy.spec(password).id != snapshot.id:",
        "    if False:",
        "test_restore.py::test_an_edited_row_is_left_out_and_named[sqlite-edited0]",
    ),
    "the comparison after a restore is forgotten": (
        "service/mirror/mirror.py",
        '"pool.restored", ',
        "",
        "test_restore.py::test_a_service_that_was_running_goes_on_behind_it[sqlite]",
    ),
    "two processes make the tables at once": (
        "service/mirror/migrate.py",
        '        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})',
        "        pass",
        "test_migrate.py::test_two_processes_that_start_together[postgresql]",
    ),
    "the tables of somebody else are taken": (
        "service/mirror/migrate.py",
        "        _refuse_strangers(connection)\n",
        "",
        "test_migrate.py::test_a_table_of_somebody_else_is_left_alone[sqlite-mirror_position]",
    ),
    "a reservation that an instance fulfils is another tenancy": (
        "service/mirror/ledger.py",
        '        return bool(event["name"] == row["name"])',
        "        return False",
        "test_ledger.py::test_a_reservation_becomes_the_instances[sqlite]",
    ),
    "what is abandoned after it was active has ended": (
        "service/mirror/ledger.py",
        'if event["data"].get("status") == "used":',
        "if False:",
        "test_ledger.py::test_what_was_active_once_is_not_over_when_it_is_abandoned[sqlite]",
    ),
    "a lost end stays lost": (
        "service/mirror/ledger.py",
        '            _end(row, event, event["type"] if taken_over else None)\n',
        "",
        "test_mending.py::test_the_next_holder_tells_that_the_one_before_has_ended[sqlite]",
    ),
    "the comparison leaves the ledger as it is": (
        "service/mirror/compare.py",
        "            await mend_ledger(self._mirror)\n",
        "",
        "test_mending.py::test_what_lost_events_told_is_mended[sqlite]",
    ),
    "what is unread is mended": (
        "service/mirror/mending.py",
        "suspects - told",
        "suspects",
        "test_mending.py::test_what_unread_events_tell_is_not_mended[sqlite]",
    ),
    "a page looks at all that is there": (
        "service/mirror/keyset.py",
        "        last = fence = tuple(found)",
        "        fence = tuple(found)",
        "test_trail.py::test_any_filters_in_any_pages_give_what_is_there_once_and_in_order[sqlite]",
    ),
    "ids and times are taken for one order": (
        "service/mirror/trail.py",
        "SKEW_MS = 30_000",
        "SKEW_MS = 0",
        "test_trail.py::test_a_clock_that_differs_a_little_hides_nothing[sqlite]",
    ),
    "a question waits for ever": (
        "service/mirror/questions.py",
        "asyncio.timeout(_LIMIT), ",
        "",
        "test_trail.py::test_a_question_that_takes_too_long_is_given_up[sqlite]",
    ),
    "two replicas write two snapshots": (
        "service/mirror/snapshots.py",
        '        "at": now - now % (1000 * span),\n        **stats',
        '        "at": now,\n        **stats',
        "test_history.py::test_two_replicas_write_one_row_a_slot[sqlite]",
    ),
}


@pytest.mark.slow
@pytest.mark.mutation
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_without_it_the_test_turns_red(copy: Copy, mutation: tuple[str, str, str, str]) -> None:
    path, handling, removed, test = mutation
    copy.assert_turns_red(Mutation(path, handling, removed, f"tests/mirror/{test}"))
