"""Each handling is seen to matter: with it removed, the test that is named turns red."""

from __future__ import annotations

import pytest

from tests.mutations import Copy, Mutation

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
        "            await _note(context, waiting, at, state)\n            return\n        if state in",
        '            await _note(context, waiting, at, "open")\n            return\n        if state in',
        "test_assigning.py::test_an_instance_in_a_reconnect_loop_is_not_called_applied",
    ),
    "B10, a stuck instance is not restarted": (
        f"{CONTROL}/reconnecting.py",
        'if state in ("open", "connecting") and',
        'if state == "open" and',
        "test_byhand.py::test_a_stuck_number_is_cured_by_rotation",
    ),
    "B8, what the list hides is not looked for": (
        f"{CONTROL}/round.py",
        "            await note_state(context, lease, at, state)",
        "            pass",
        "test_round.py::test_it_finds_what_the_list_hides_and_reads_it_no_more",
    ),
    "B8, the round goes on evenly where many hang": (
        f"{CONTROL}/round.py",
        "self._ahead = min(self._ahead + _AHEAD, len(self._ids))",
        "pass",
        "test_round.py::test_where_many_hang_they_are_known_before_the_evidence_against_one_is_complete",
    ),
    "B8, of many that hang at once only the list is read": (
        f"{CONTROL}/hints.py",
        "        self._look_live(rest)\n",
        "",
        "test_hints.py::test_many_that_hang_at_once_are_all_known_at_once_so_that_the_network_is_the_suspect",
    ),
    "B9, a reconnect loop is restarted": (
        f"{CONTROL}/reconnecting.py",
        '    return state == "close"',
        "    return False",
        "test_evidence.py::test_in_a_reconnect_loop_nothing_is_restarted",
    ),
    "B11, one that no restart moves is restarted at each tick": (
        f"{CONTROL}/reconnecting.py",
        "    return token == _newest(leases) and context.pool.clock.now() < until",
        "    return False",
        "test_assigning.py::test_one_that_no_restart_moves_is_restarted_ever_more_rarely",
    ),
    "B11, a human waits as long as policy for the next restart": (
        f"{CONTROL}/reconnecting.py",
        "    return token == _newest(leases) and context.pool.clock.now() < until",
        "    return context.pool.clock.now() < until",
        "test_assigning.py::test_a_human_does_not_wait_for_the_next_restart_of_one_that_did_not_move",
    ),
    "a small server's outage costs its proxies": (
        f"{CONTROL}/evidence.py",
        " and not 1 < troubled == len(held):",
        ":",
        "test_evidence.py::test_an_outage_of_a_small_server_costs_no_proxy",
    ),
    "a trial that is not applied yet clears the server": (
        f"{CONTROL}/evidence.py",
        "    troubled = len(hanging) + len(trials) - len(proved) - len(_trials(hanging, begun))",
        "    troubled = len(hanging)",
        "../unit/test_evidence.py::test_a_trial_under_way_clears_nobody",
    ),
    "the trial that a network came back with condemns the others": (
        f"{CONTROL}/evidence.py",
        "helped_at=max(helped_at, min(proved, default=0))",
        "helped_at=helped_at",
        "../unit/test_evidence.py::test_what_was_cured_before_the_first_trial_that_helped_is_cured_once_more",
    ),
    "B10, without restarts a stuck instance costs one proxy after the other": (
        f"{CONTROL}/evidence.py",
        "    reads_row = lease.looped or policy.restart",
        "    reads_row = True",
        "test_evidence.py::test_with_next_connect_a_stuck_instance_costs_no_second_proxy",
    ),
    "B3, a row that no set can put right is left as it is": (
        f"{CONTROL}/assigning.py",
        "    except (EvolutionRejectedError, EvolutionUnknownError) as error:",
        "    except EvolutionRejectedError as error:",
        "test_adversity.py::test_a_lost_row_whose_proxy_does_not_answer_gets_another",
    ),
    "rows that can't be written because the server hangs cost a proxy each": (
        f"{CONTROL}/assigning.py",
        '            await context.pool.mark(lease, "refused")  # given up',
        "            pass  # given up",
        "test_adversity.py::test_many_such_at_once_speak_against_the_server_and_stop_its_sets",
    ),
    "a close of before the row was cleared frees the proxy": (
        "lua/mark.lua",
        "if seen and number(lease.since) > A.seen_at then return {'STALE_SIGHT'} end\n",
        "",
        "test_adversity.py::test_a_close_that_a_frozen_process_tells_of_too_late_frees_no_proxy",
    ),
    "a socket that came back by a late set is taken for gone": (
        "lua/lib/instances.lua",
        "  if own and lease[3] == 'socket' then",
        "  if false then",
        "../lua/test_row_cleared.py::test_a_row_that_named_the_proxy_again_voids_what_was_seen_of_the_socket",
    ),
    "one that is being created is given another proxy than the reserved one": (
        f"{CONTROL}/decide.py",
        '    if seen.reserved and seen.observation.state == "close":\n        return',
        "    if False:\n        return",
        "test_adversity.py::test_one_that_is_being_created_with_its_reserved_proxy_is_given_no_other",
    ),
    "a reservation ends while the row of its name is not read": (
        f"{CONTROL}/looking.py",
        "        if lease is not None and lease.reservation and name in unread:",
        "        if False:",
        "test_versions.py::test_a_reservation_waits_for_the_row_of_its_name",
    ),
    "the plan knows of no server under another name": (
        f"{CONTROL}/plan.py",
        "        return holder.instance == claim.instance\n    return",
        "        return False\n    return",
        "test_servers.py::test_a_server_under_another_name_goes_on_with_its_leases",
    ),
    "B9, a dead proxy is kept": (
        f"{CONTROL}/evidence.py",
        "    return complete and reads_row and not lease.spent and",
        "    return False and",
        "test_evidence.py::test_a_dead_proxy_is_rotated_away_and_goes_under_probation",
    ),
    "B10, stuck is left alone": (
        f"{CONTROL}/evidence.py",
        "    if not lease.looped and at - since <= STUCK_MS:",
        "    if not lease.looped:",
        "test_evidence.py::test_a_stuck_instance_whose_proxy_is_back_is_cured_by_set_and_restart",
    ),
    "B10, a stuck instance is cured without a restart": (
        f"{CONTROL}/acting.py",
        "            self._reconnect([lease], queued=True, cure=True)",
        "            pass",
        "test_evidence.py::test_a_stuck_instance_whose_proxy_is_back_is_cured_by_set_and_restart",
    ),
    "B5, one reading is evidence": (
        "lua/sign.lua",
        "if A.what ~= 'refused' and not lease.troubled_since then",
        "if A.what == 'never' then",
        "../lua/test_sign.py::test_the_first_reading_that_is_not_open_is_no_sign_and_later_ones_are",
    ),
    "connecting proves that the old socket is gone": (
        "lua/sign.lua",
        "if A.what == 'close' then\n  call",
        "if A.what ~= 'open' then\n  call",
        "../lua/test_sign.py::test_close_tells_a_loop_and_that_the_old_socket_is_gone",
    ),
    "the network of the server is down, and proxies are rotated": (
        f"{CONTROL}/evidence.py",
        "        rotations=None if proved else int(trial_due),",
        "        rotations=None,",
        "test_evidence.py::test_many_at_once_speak_against_the_server_and_nothing_is_rotated",
    ),
    "cures storm a server whose network is down": (
        f"{CONTROL}/evidence.py",
        "        cures=None if proved or helped_at >= begun else 1,",
        "        cures=None,",
        "test_evidence.py::test_the_suspect_s_instances_are_cured_one_at_a_look_until_one_success",
    ),
    "a vendor that is really dead is never rotated away": (
        f"{CONTROL}/evidence.py",
        "    trial_due = at",
        "    trial_due = False and at",
        "test_evidence.py::test_a_trial_that_is_applied_clears_the_server_and_all_are_rotated",
    ),
    "a remedy for one that has come back": (
        f"{CONTROL}/remedies.py",
        '    return state in ("close", "connecting")',
        "    return True",
        "test_evidence.py::test_one_that_came_back_since_the_last_look_is_left_alone",
    ),
    "rotated without end": (
        "lua/rotate.lua",
        ">= A.per_day then",
        ">= 1000 then",
        "test_evidence.py::test_after_the_rotations_of_a_day_it_waits_for_a_human_and_says_so",
    ),
    "next-connect restarts": (
        f"{CONTROL}/acting.py",
        "restarts = by_hand or (self.context.policy.restart and",
        "restarts = by_hand or (True and",
        "test_evidence.py::test_with_next_connect_nothing_is_restarted_not_even_as_a_cure",
    ),
    "B11, restarted while the list errs": (
        f"{CONTROL}/reconnecting.py",
        "        if not waiting or not context.listed:",
        "        if not waiting:",
        "test_evidence.py::test_a_restart_that_waits_its_turn_is_not_sent_while_the_list_errs",
    ),
    "B22, sets that nobody answers are not counted": (
        "lua/abandon.lua",
        "A.how == 'unknown' and lease.holder",
        "false",
        "test_evidence.py::test_sets_that_nobody_answers_stop_the_sets_too",
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
    "B4, connect is called": (
        "service/evolution/client.py",
        '        path = "/instance/fetchInstances"\n',
        '        greet = Request(self.name, "connect", "GET", "/instance/connect/x", 5.0, instance="x")\n'
        "        await self._transport.send(greet, lambda body: body)\n"
        '        path = "/instance/fetchInstances"\n',
        "test_assigning.py::test_the_steady_state_costs_one_list_a_tick",
    ),
    "B7, off is no cleared row": (
        f"{CONTROL}/releasing.py",
        '        return "off"\n',
        '        return ""\n',
        "test_warts.py::test_where_off_means_the_servers_own_proxy_a_release_ends_all_the_same",
    ),
    "B14, a missing state is an absence": (
        f"{CONTROL}/absence.py",
        "        await context.client.connection_state(lease.name)\n",
        "        if await context.client.connection_state(lease.name) is None:\n"
        '            raise EvolutionNotFoundError(reason="no state")\n',
        "test_warts.py::test_a_state_that_is_missing_proves_no_absence",
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
    "B16, the proxy of a reservation that is over is given again at once": (
        "lua/expire_reservation.lua",
        "beware(id, proxy, A.now_ms + A.rest_ms)\n",
        "",
        "test_seeing.py::test_a_reservation_that_nobody_uses_expires_after_a_complete_reading_and_rests",
    ),
    "B17, one whose deletion is under way is taken for gone": (
        f"{CONTROL}/absence.py",
        "            await context.client.connection_state(name)\n        except",
        '            raise EvolutionNotFoundError(reason="not listed")\n        except',
        "test_warts.py::test_a_delete_that_takes_its_time",
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
        f"{CONTROL}/acting.py",
        "            await self.acts.alone(self.waiting[0].id, self.acts.guarded(act))",
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
        "row.names(spec) and row.belongs_to(lease.instance):\n            await",
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
    "B1, a field that Evolution would lose is sent": (
        "service/evolution/client.py",
        "        if len(text) > FIELD_LIMIT:",
        "        if False:",
        "../unit/test_evolution_client_calls.py::test_what_evolution_would_not_save_is_not_sent",
    ),
    "B1, no credentials are left out": (
        "service/evolution/client.py",
        'orjson.dumps({"enabled": True, **fields})',
        'orjson.dumps({"enabled": True, **{key: text for key, text in fields.items() if text}})',
        "../unit/test_evolution_client_calls.py::test_set_sends_empty_texts_for_no_credentials_and_brackets_for_ipv6",
    ),
    "B19, a refused key says that the instance is gone": (
        "service/evolution/verdict.py",
        "error(EvolutionUnauthorizedError, request, status)",
        "error(EvolutionNotFoundError, request, status)",
        "test_warts.py::test_a_wrong_key_releases_nothing",
    ),
    "B21, an error quotes the answer": (
        "service/evolution/verdict.py",
        'unanswered(request, "the server erred", status)',
        'unanswered(request, error_text(body) or "the server erred", status)',
        "../unit/test_evolution_client_errors.py::test_no_usable_answer",
    ),
    "B21, the reason of a refusal is not masked": (
        "service/evolution/verdict.py",
        'text = text.replace(secret, "***")',
        "pass",
        "../unit/test_evolution_client_errors.py::test_a_refusal_that_echoes_what_was_sent_is_masked",
    ),
    "B25, the port of a row is taken for a number": (
        "service/evolution/client.py",
        '"port": str(spec.port)',
        '"port": spec.port',
        "../unit/test_evolution_client_calls.py::test_set_sends_all_fields_as_text_with_encoded_credentials",
    ),
    "B25, a 400 of the body parser is a refusal of the proxy": (
        "service/evolution/verdict.py",
        ' and body.get("error") != "Internal Server Error"',
        "",
        "../unit/test_evolution_client_errors.py::test_refusals_that_say_nothing_about_the_proxy",
    ),
    "B26, an empty name asks for all": (
        "service/evolution/client.py",
        "    if not name:",
        "    if False:",
        "../unit/test_evolution_client_calls.py::test_an_empty_name_is_never_sent",
    ),
    "B29, the server is greeted before each list": (
        "service/evolution/client.py",
        '        path = "/instance/fetchInstances"\n',
        '        await self._transport.send(Request(self.name, "greet", "GET", "/", 5.0), lambda body: body)\n'
        '        path = "/instance/fetchInstances"\n',
        "../unit/test_evolution_client_calls.py::test_list_is_asked_for_once_with_key_and_gzip",
    ),
    "2.3.6, socks5 is sent as such": (
        "service/evolution/client.py",
        "_PROTOCOL_WORDS.get(spec.protocol, spec.protocol.value)",
        "spec.protocol.value",
        "test_versions.py::test_a_whole_life",
    ),
    "version 1, a row is not asked again": (
        f"{CONTROL}/rows.py",
        "(known.name, known.held) == (listed[key].name, held.get(key, ()))",
        "known.name == listed[key].name",
        "test_versions.py::test_a_row_is_asked_again_once_another_process_changed_what_the_instance_holds",
    ),
    "version 1, null is believed": (
        f"{CONTROL}/rows.py",
        "            await self._context.client.fetch_instances()\n",
        "",
        "test_versions.py::test_a_database_that_goes_down_behind_the_list_proves_no_missing_row",
    ),
    "version 1, rows that were not read open the gate": (
        f"{CONTROL}/server.py",
        "if all(observation.row_listed for observation in observations):",
        "if True:",
        "test_versions.py::test_nothing_is_handed_out_before_every_row_was_read",
    ),
    "version 1, an instance whose row was not read is decided on": (
        f"{CONTROL}/looking.py",
        "        if observation is not None and not observation.row_listed:\n            continue\n",
        "",
        "test_versions.py::test_an_instance_whose_row_can_not_be_read_is_left_alone",
    ),
    "version 1, rows of before a new epoch count": (
        f"{CONTROL}/looking.py",
        "        self._rows.forget()\n",
        "",
        "test_versions.py::test_in_a_new_epoch_every_row_is_read_again",
    ),
    "version 1, one part of a list is read and the other not": (
        "service/evolution/answers.py",
        "if len({each.row_listed for each in found}) > 1:",
        "if False:",
        "test_versions.py::test_an_unknown_shape_is_refused_loudly_and_releases_nothing",
    ),
    "version 1, by hand the row is not asked for": (
        "service/evolution/client.py",
        "if found is None or found.row_listed:",
        "if True:",
        "test_versions.py::test_by_hand_an_instance_keeps_the_proxy_of_its_row",
    ),
    "B28, every hint is a look": (
        f"{CONTROL}/hints.py",
        "        due = max(now, hinted.looked_at + hinted.pause)",
        "        due = now",
        "test_hints.py::test_two_hundred_events_a_second_from_one_flapping_instance",
    ),
    "B28, what is told while a look is under way is lost": (
        f"{CONTROL}/hints.py",
        "        hinted.due = due\n        heapq.heappush(self._line, (due, name))\n        return due",
        "        if hinted.pause:\n            return None\n        hinted.due = due\n"
        "        heapq.heappush(self._line, (due, name))\n        return due",
        "../unit/test_hints.py::test_pauses_double_to_the_longest_and_the_last_hint_is_never_lost",
    ),
    "B28, a look by name judges without the brake": (
        f"{CONTROL}/server.py",
        "await self._decide(seens, True,",
        "await self._decide(seens, False,",
        "test_hints.py::test_what_waits_for_the_brake_waits_for_the_list",
    ),
    "B28, a look overtakes a list that was read before it": (
        f"{CONTROL}/server.py",
        "        async with self._one_look:\n            if self.error",
        "        if True:\n            if self.error",
        "test_hints.py::test_looks_and_ticks_take_turns",
    ),
    "B15, one that is not there is looked at like any other": (
        f"{CONTROL}/hints.py",
        "hinted.absent, hinted.pause = True, LONGEST_PAUSE",
        "pass",
        "test_hints.py::test_a_ghost_costs_next_to_nothing",
    ),
    "B8, a hint believes the list": (
        f"{CONTROL}/server.py",
        "            await self.round.look_at(",
        "            bool(",
        "test_hints.py::test_a_hint_finds_what_the_list_hides",
    ),
    "B2, a webhook is taken for none while the DB is down": (
        f"{CONTROL}/webhooks.py",
        "if webhook is None and name not in none:",
        "if False:",
        "../integration/test_cli_webhooks.py::test_a_webhook_that_the_database_hid_is_not_overwritten",
    ),
    "in a new epoch a look goes ahead of the list": (
        f"{CONTROL}/server.py",
        "self.error is not None or await self._pool_doubts()",
        "self.error is not None",
        "test_hints.py::test_in_a_new_epoch_and_after_a_force_the_list_comes_first",
    ),
    "a look decides on a row that two instances share": (
        f"{CONTROL}/server.py",
        "if not seen.contested]",
        "]",
        "test_hints.py::test_a_row_that_another_one_names_too_is_left_to_the_list",
    ),
    "a look decides on a proxy that another instance holds": (
        f"{CONTROL}/looking.py",
        '"HELD_ELSEWHERE" and look.whole and',
        '"HELD_ELSEWHERE" and',
        "test_hints.py::test_a_row_whose_proxy_is_held_elsewhere_is_left_to_the_list",
    ),
    "a webhook's path is logged": (
        "service/web/middlewares.py",
        "            WEBHOOKS if webhook else request.rel_url.raw_path,",
        "            request.rel_url.raw_path,",
        "../web/test_webhooks.py::test_no_log_and_no_answer_holds_the_secret",
    ),
    "a webhook's JWT never expires": (
        "service/web/routes/webhooks.py",
        '{"require": ["exp"], "verify_iat": False}',
        '{"verify_exp": False, "verify_iat": False}',
        "../web/test_webhooks.py::test_without_it_a_bearer_token_does",
    ),
    "observe mode adopts in the pool": (
        f"{CONTROL}/server.py",
        "Looking(context, adopts=not observe_only)",
        "Looking(context, adopts=True)",
        "test_plan.py::test_observe_mode_shows_the_plan_and_asks_only",
    ),
    "the plan writes what it saw": (
        f"{CONTROL}/planning.py",
        "adopts=False, writes=False",
        "adopts=False, writes=True",
        "test_plan.py::test_the_first_day",
    ),
    "the plan adopts one proxy for two": (
        f"{CONTROL}/looking.py",
        "if holder in look.adopted:",
        "if False:",
        "test_plan.py::test_of_two_rows_with_one_proxy_one_adopts_and_the_other_is_given_its_own",
    ),
    "a QR code of before the row is left as it is": (
        f"{CONTROL}/decide.py",
        "        if lease.applied is Applied.NO and not lease.down and pairs:",
        "        if False:",
        "test_early.py::test_connecting_the_restart_is_made_up_for_when_it_could_not_be",
    ),
    "a QR code is restarted again and again": (
        f"{CONTROL}/reconnecting.py",
        "        if await context.client.restart(leases[0].name) is not RestartAnswer.REFUSED:\n"
        "            await _mark_down(context, leases, at)\n",
        "        await context.client.restart(leases[0].name)\n",
        "test_early.py::test_connecting_the_qr_code_is_shown_through_the_proxy_after_one_restart",
    ),
    "a closed instance that was just created is watched": (
        f"{CONTROL}/reconnecting.py",
        '        if state != "open" and not any(lease.opened or _releasing(lease) for lease in waiting):',
        "        if False:",
        "test_early.py::test_created_many_wait_for_no_turn_to_restart",
    ),
    "the number that was paired later is not remembered": (
        "lua/lib/endings.lua",
        "call('HGET', instance_key(lease.holder), 'owner') or ''",
        "''",
        "test_return.py::test_a_number_that_was_paired_after_its_proxy_was_set_is_known_by_its_phone",
    ),
    "a name brings another number its proxy": (
        "lua/lib/choice.lua",
        "if not anothers and",
        "if",
        "test_return.py::test_another_number_under_the_name_gets_one_of_the_line",
    ),
    "a strict rule falls back": (
        "lua/lib/choice.lua",
        "if not choice.id and not (item.group ~= '' and item.strict) then",
        "if not choice.id then",
        "test_groups.py::test_a_strict_rule_waits_for_its_group_and_another_falls_back",
    ),
    "a server is forgotten although it is configured again": (
        "lua/forget_server.lua",
        "if call('SISMEMBER', K.servers, A.server) == 1 then return {'STILL_CONFIGURED', A.server} end\n",
        "",
        "test_servers.py::test_a_configured_server_is_not_forgotten",
    ),
    "a server that comes back is believed to be ignored still": (
        "lua/configure.lua",
        "'read_epoch', 'ignored')",
        "'read_epoch')",
        "test_servers.py::test_a_server_that_comes_back_is_read_before_anything_and_goes_on_with_its_leases",
    ),
    "what a server holds is lost when it leaves the settings": (
        "lua/configure.lua",
        "      call('SADD', K.former, old)\n",
        "",
        "test_servers.py::test_a_server_that_leaves_keeps_its_proxies_and_holds_nothing_up",
    ),
    "a server under another name is given other proxies": (
        "lua/adopt.lua",
        " and not renamed then",
        " then",
        "test_servers.py::test_a_server_under_another_name_goes_on_with_its_leases",
    ),
    "a shared proxy is said to repair itself": (
        f"{CONTROL}/drift.py",
        "if kind is Kind.SHARED and lease and lease.proxy_id not in moving:",
        "if False:",
        "test_drift.py::test_a_shared_proxy_is_left_to_the_one_that_is_not_managed",
    ),
    "a release is forced that goes on by itself": (
        f"{CONTROL}/repairing.py",
        "    await _unchanged(control, drift)\n",
        "    pass\n",
        "test_drift.py::test_a_release_that_went_on_meanwhile_is_not_forced",
    ),
    "what is refused is unpacked all the same": (
        "service/web/app.py",
        '"auto_decompress": False',
        '"auto_decompress": True',
        "../web/test_webhooks.py::test_what_is_compressed_is_400_and_never_unpacked",
    ),
    "a token of any bytes is an internal error": (
        "service/web/routes/webhooks.py",
        "except (jwt.PyJWTError, UnicodeEncodeError):",
        "except jwt.PyJWTError:",
        "../web/test_webhooks.py::test_a_token_of_any_bytes_is_401",
    ),
    "a repair rotates whatever lease there is": (
        f"{CONTROL}/repairing.py",
        "op_id=op_id, lease=lease)",
        "op_id=op_id)",
        "test_drift.py::test_two_repairs_at_once_rotate_once",
    ),
    "a repair is done to whoever has the name": (
        f"{CONTROL}/byhand.py",
        "    if lease.instance != observation.id:\n",
        "    if False:\n",
        "test_drift.py::test_a_repair_leaves_another_instance_of_the_name_alone",
    ),
    "what was applied counts after the row was written again": (
        "lua/lib/leases.lua",
        "'applied', 'no', 'down', '0', 'active_at'",
        "'down', '0', 'active_at'",
        "test_drift.py::test_what_was_applied_before_a_row_was_written_again_proves_nothing",
    ),
    "a row that is back is believed to have been there all the time": (
        "lua/observe.lua",
        "if old.row and old.row ~= row then",
        "if false then",
        "test_believing.py::test_a_row_that_is_back_by_a_late_set_is_no_proof",
    ),
    "B8, the list's column proves that a socket is gone": (
        f"{CONTROL}/reconnecting.py",
        '    if state == "close" or (state == "connecting" and adopted):',
        "    if True:",
        "test_believing.py::test_a_list_that_is_late_frees_no_proxy_that_is_in_use",
    ),
    "a release comes too late and leaves the instance unmanaged": (
        "lua/begin_release.lua",
        "if A.unmanage and lease.tail == '1' then",
        "if false then",
        "test_byhand.py::test_a_release_that_a_rotation_overtook_leaves_the_instance_alone",
    ),
    "a name is not encoded whole": (
        "service/evolution/client.py",
        'encoded = _quoted("instance", name)',
        'encoded = _quoted("instance", name, "/%?#")',
        "test_assigning.py::test_any_name_goes_the_whole_way",
    ),
    "another encryption key makes another password": (
        "lua/lib/sealing.lua",
        "and among(fingerprints, proxy.fingerprint)",
        "and proxy.fingerprint == string.match(fingerprints, '^%S*')",
        "test_keys.py::test_nothing_is_set_again_when_the_key_changes",
    ),
    "a row is held against the key that it was written under": (
        f"{CONTROL}/assigning.py",
        "vault.fingerprints(spec.password)",
        "vault.fingerprint(spec.password + '!')",
        "test_keys.py::test_a_row_that_is_written_while_the_key_changes_is_not_written_again",
    ),
    "reseal writes over a change": (
        "lua/reseal.lua",
        "if call('HGET', proxy_key(item.id), 'secret') == item.was then",
        "if call('EXISTS', proxy_key(item.id)) == 1 then",
        "../lua/test_reseal.py::test_a_password_that_was_changed_meanwhile_stays",
    ),
    "others seal while all comes under one key": (
        "lua/lib/sealing.lua",
        "  if meta[2] and meta[2] ~= key then return false end\n",
        "",
        "../integration/test_cli_keys.py::test_the_service_goes_on_meanwhile",
    ),
    "one key of several is enough": (
        "lua/use_key.lua",
        "if missing > 0 then return",
        "if false then return",
        "../web/test_keys.py::test_without_a_key_of_the_pool_it_does_not_start",
    ),
    "an import without passwords clears them": (
        "lua/import.lua",
        "item.secret ~= '' and not same_password",
        "not same_password",
        "../lua/test_import.py::test_a_line_without_a_password_does_not_clear_it",
    ),
    "an export that failed looks whole": (
        "service/web/routes/export.py",
        "        request.transport.abort()",
        "        pass",
        "../web/test_export.py::test_what_fails_later_never_looks_like_a_whole_document",
    ),
    "passwords are exported without an event": (
        "service/web/export.py",
        "        await pool.note_export(wanted.format, **told, actor=actor)\n",
        "",
        "../integration/test_export.py::test_only_passwords_are_an_event_and_it_comes_first",
    ),
    "an export is found under its name before it is whole": (
        "service/cli/export.py",
        "                yield file\n",
        "                Path(file.name).replace(path)\n                yield file\n",
        "../integration/test_cli_export.py::test_a_cut_export_is_no_export",
    ),
    "a quoted cell loses its blanks": (
        "service/importing/table.py",
        "cell if _is_quoted(cell, text) else cell.strip()",
        "cell.strip()",
        "../integration/test_export.py::test_it_is_read_back_exactly",
    ),
    "a label is split where it holds a comma": (
        "service/importing/vendors.py",
        "            value = json.loads(value)\n",
        "            pass\n",
        "../integration/test_export.py::test_it_is_read_back_exactly",
    ),
    "a proxy that can't be written again is kept": (
        f"{CONTROL}/acting.py",
        "            await replace(self.context, lease)\n",
        "            pass\n",
        "test_rows.py::test_a_proxy_that_can_not_be_written_again_is_replaced",
    ),
    "releases wait behind all restarts": (
        f"{CONTROL}/pacing.py",
        "while kind := self._urgent or self._others:",
        "while kind := self._others or self._urgent:",
        "../unit/test_pacing.py::test_the_urgent_go_before_the_others_and_each_kind_in_order",
    ),
    "restarts are not paced": (
        f"{CONTROL}/pacing.py",
        "if self._tokens >= 1 and not self._line:",
        "if True:",
        "../unit/test_pacing.py::test_a_burst_at_once_and_then_the_rate",
    ),
    "what was refused is tried before what is kept": (
        "lua/lib/choice.lua",
        "== '1') == refused and not",
        "== '1') == refused or not",
        "../lua/test_acquire.py::test_what_was_refused_is_tried_after_what_is_kept_for_others",
    ),
}


@pytest.mark.slow
@pytest.mark.mutation
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_without_it_the_test_turns_red(copy: Copy, mutation: tuple[str, str, str, str]) -> None:
    path, handling, removed, test = mutation
    copy.assert_turns_red(Mutation(path, handling, removed, f"tests/control/{test}"))


@pytest.mark.slow
@pytest.mark.mutation
@pytest.mark.timeout(600)
def test_unchanged_they_are_green(copy: Copy) -> None:
    copy.assert_green(*dict.fromkeys(f"tests/control/{test}" for *_, test in MUTATIONS.values()))
