//! What every database behind the `Storage` trait must do: written once, run on each.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod access_tokens;
mod accounts;
mod api_keys;
mod connect_session_ends;
mod connect_sessions;
mod event_order;
mod events;
mod grants;
mod imports;
mod mending;
mod reauth_links;
mod support;

/// Runs every function of the suite on a fresh storage made by `$open`, which returns what must
/// outlive the storage beside it.
macro_rules! suite {
    ($database:ident, $open:expr, { $($module:ident: [$($test:ident),* $(,)?]),* $(,)? }) => {
        mod $database {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    let (storage, _home) = $open.await;
                    crate::$module::$test(std::sync::Arc::clone(&storage)).await;
                    storage.close().await;
                })*
            })*
        }
    };
}

suite!(sqlite, crate::support::sqlite(), {
    accounts: [
        what_was_added_is_found,
        other_sites_see_nothing,
        the_same_mailbox_is_a_conflict,
        connecting_again_is_the_same_account_with_a_new_grant,
        shared_mailboxes_of_one_person_are_separate,
        the_list_is_paged_in_order_and_filtered,
        an_update_changes_only_what_it_names,
        an_update_cannot_take_another_accounts_mailbox,
        a_disabled_account_stays_disabled,
        a_refusal_of_a_replaced_token_changes_nothing,
        removing_takes_the_grant_along,
    ],
    grants: [
        a_grant_opens_again,
        replacing_needs_the_generation,
        one_of_a_hundred_replacements_wins_each_generation,
        revoking_forgets_the_token,
        what_has_not_been_refreshed_for_long_is_found,
    ],
    imports: [
        the_token_is_there_again_whatever_happens,
        the_same_token_again_is_the_same_account,
        a_token_that_is_kept_serves_the_corrected_request,
        what_is_refused_or_over_leaves_nothing,
        one_of_fifty_at_once_works_on_it,
        what_was_put_off_while_the_clock_was_wrong_is_not_waited_for,
        whose_it_is_is_found_out_later,
        a_known_persons_account_is_not_taken_over_by_somebody_unknown,
    ],
    connect_sessions: [
        a_session_is_found_by_id_and_by_token,
        a_later_try_replaces_the_earlier_one,
        a_state_is_consumed_once_among_fifty,
        completing_makes_account_and_grant,
        completing_needs_a_callback,
        reconnecting_is_the_same_account,
        another_person_is_another_account,
        consent_is_awaited_and_granted,
    ],
    connect_session_ends: [
        a_failed_session_cannot_be_completed,
        giving_up_is_possible_until_the_callback,
        either_the_callback_or_giving_up_wins,
        a_session_runs_out,
        a_late_callback_has_time_to_complete,
        a_callback_that_was_never_finished_is_begun_again,
        an_unswept_session_reads_as_expired,
        the_sweep_ends_what_ran_out_once,
        deleting_the_account_keeps_the_session,
        sessions_that_ended_long_ago_are_forgotten,
    ],
    mending: [
        the_same_person_mends_that_account_and_no_other,
        somebody_else_mends_nothing,
        an_account_knows_the_page_it_was_connected_on,
        an_imported_account_takes_the_first_person_who_is_proven,
        an_imported_account_takes_nobody_who_has_the_mailbox_already,
        what_is_gone_or_switched_off_is_not_mended,
    ],
    events: [
        each_change_of_state_is_told_once,
        a_change_that_does_not_happen_is_not_told,
        a_dead_grant_is_told_once_among_fifty,
        a_passing_fault_does_not_hide_a_dead_grant,
        a_reconnect_ends_a_death,
        sessions_tell_how_they_ended_once,
        a_deletion_is_told_once_and_the_events_stay,
        what_is_told_once_is_told_once_among_fifty,
    ],
    event_order: [
        pages_follow_each_other,
        a_site_sees_its_own_and_the_gateways,
        places_that_do_not_exist_are_unknown,
        later_events_have_greater_ids_whatever_the_clock_says,
        who_reads_on_misses_nothing_among_many_writers,
        what_is_forgotten_leaves_a_gap,
        an_alarm_is_not_told_again_when_it_is_forgotten,
        news_come_with_the_change,
    ],
    reauth_links: [
        a_dead_grant_has_one_way_back,
        the_link_is_void_when_the_state_is_left,
        another_death_makes_another_link,
        an_application_needs_no_person,
    ],
    access_tokens: [
        a_token_opens_again,
        an_older_token_does_not_replace_a_newer,
        a_replaced_grants_token_is_not_stored,
        a_token_goes_with_its_account,
        a_barred_account_keeps_no_token,
        what_ended_is_forgotten,
    ],
    api_keys: [
        a_key_is_found_by_its_secret_only,
        a_revoked_key_is_not_found,
        use_is_noted_coarsely,
        keys_are_listed_by_site,
    ],
});
