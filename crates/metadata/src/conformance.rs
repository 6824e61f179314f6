//! The contract of [`MetadataStore`](crate::MetadataStore) as checks that every store runs.
//!
//! A check gets two handles on one empty store and uses them in turn, as two processes would: what
//! one writes the other must see. [`conformance_suite!`](crate::conformance_suite) makes a test of
//! each. Checks panic where the contract is broken.

pub mod archive;
pub mod changes;
pub mod collection;
pub mod images;
pub mod lifecycle;
pub mod links;
pub mod manifests;
pub mod markers;
pub mod registries;
pub mod registry_settings;
pub mod removal;
pub mod repositories;
pub mod resource_requests;
pub mod roles;
pub mod rules;
mod samples;
pub mod secrets;
pub mod sightings;
pub mod tags;
pub mod templates;
pub mod uploads;

/// How often a check repeats what it lets two handles do at the same time.
const ROUNDS: usize = 50;

/// Asserts that a result is a certain error.
macro_rules! assert_refused {
    ($result:expr, $error:pat) => {
        let result = $result;
        assert!(matches!(result, Err($error)), "{result:?}");
    };
}
use assert_refused;

/// Expands to one test per check of the contract, in a module per subject. Takes the path of an
/// async function without parameters that opens an empty store and returns two handles on it and
/// what must outlive them; the path must be absolute (`crate::..`).
#[macro_export]
macro_rules! conformance_suite {
    ($open:path) => {
        $crate::conformance_suite! { @subject $open; archive:
            follows_a_policy
            holds_blobs_back
            lists_what_is_archived
            moves_what_belongs_together
            opens_to_a_push_alone
            takes_and_gives_back
        }
        $crate::conformance_suite! { @subject $open; changes:
            are_known_to_the_other_handle
            are_none_where_nothing_changed
            are_told_from_any_revision
            beyond_the_history_are_unknown
            of_concurrent_writes_are_all_told
        }
        $crate::conformance_suite! { @subject $open; images:
            are_found_by_digest
            come_in_pages_by_digest
            of_a_repository_without_manifests
            repositories_come_in_pages_by_name
        }
        $crate::conformance_suite! { @subject $open; collection:
            deletes_links_that_still_are_loose
            finds_links_that_nothing_names
            knows_what_is_needed
            spares_what_a_manifest_relies_on
        }
        $crate::conformance_suite! { @subject $open; lifecycle:
            cached_images_come_by_last_use
            expires_only_by_the_policy_held
            expires_what_is_as_it_was
            keeps_parts_and_referrers
            keeps_what_changed
            policies_are_due_in_turn
            previews_begin_and_end
        }
        $crate::conformance_suite! { @subject $open; links:
            are_recorded_for_many_repositories_at_once
            that_are_there_stay
        }
        $crate::conformance_suite! { @subject $open; manifests:
            are_recorded_with_repository_and_tag
            are_told_apart_by_repository
            come_back_as_recorded
            once_recorded_keep_their_past
            remember_their_last_pull
        }
        $crate::conformance_suite! { @subject $open; markers: are_created_once }
        $crate::conformance_suite! { @subject $open; registries:
            keep_content_apart
            keep_rules_apart
            keep_secrets_apart
        }
        $crate::conformance_suite! { @subject $open; resource_requests:
            are_begun_once_for_a_resource_by_two_at_once
            are_kept_as_long_as_they_count
            are_told_apart_by_registry
            come_back_as_recorded
            come_in_pages_the_newest_first
            go_on_only_from_the_status_expected
            of_a_resource_wait_for_one_another
            of_one_client_token_are_one
        }
        $crate::conformance_suite! { @subject $open; roles:
            are_limited
            are_swapped_and_deleted_only_as_expected
            are_swapped_by_two_at_once_without_loss
            are_told_apart_without_case
            come_back_as_typed
            come_in_pages_by_name
        }
        $crate::conformance_suite! { @subject $open; registry_settings:
            are_kept_per_registry
            are_swapped_only_as_expected
        }
        $crate::conformance_suite! { @subject $open; repositories:
            are_created_once_with_their_settings
            are_created_with_settings_by_content
            are_deleted_when_empty
            are_deleted_with_everything_in_them
            are_limited_per_registry
            come_back_as_set
            hold_their_immutable_tags
            settings_are_swapped_by_two_at_once_without_loss
        }
        $crate::conformance_suite! { @subject $open; removal:
            leaves_tags_in_order
            of_a_link_is_told
            of_a_manifest_takes_its_tags
            of_a_referrer_ends_its_reference
            of_a_tag_leaves_its_manifest
        }
        $crate::conformance_suite! { @subject $open; rules:
            are_created_once_by_two_at_once
            are_deleted_and_returned
            are_limited_per_registry
            are_listed_by_key
            are_told_apart_without_trailing_slash
            come_back_as_typed
            have_a_policy_of_their_own
            keep_what_an_update_leaves_out
            never_exceed_the_limit_by_two_at_once
        }
        $crate::conformance_suite! { @subject $open; secrets:
            are_deleted_at_once
            are_found_by_name_and_suffix
            are_gone_when_their_time_has_come
            are_purged_when_their_time_has_come
            are_swapped_by_two_at_once_without_loss
            are_swapped_only_as_expected
            come_back_as_sealed
            come_in_pages_by_name
        }
        $crate::conformance_suite! { @subject $open; sightings:
            are_of_the_first_time
        }
        $crate::conformance_suite! { @subject $open; tags:
            are_pushed
            are_refreshed
            are_set_on_condition
            move_from_image_to_image
            moved_by_two_at_once_name_one_image
            that_moved_are_not_refreshed
            that_were_pushed_are_not_moved_by_caching
        }
        $crate::conformance_suite! { @subject $open; uploads:
            advance_and_end
            are_advanced_by_one_of_two_at_once
            are_limited_per_registry
            that_are_idle_are_found
        }
        $crate::conformance_suite! { @subject $open; templates:
            are_deleted_and_returned
            are_limited_per_registry
            are_replaced_by_two_at_once_without_loss
            are_replaced_only_as_expected
            are_told_apart_without_trailing_slash
            come_back_as_typed
        }
    };
    (@subject $open:path; $subject:ident: $($check:ident)+) => {
        mod $subject {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $check() {
                    let (one, other, _kept) = $open().await;
                    $crate::conformance::$subject::$check(&one, &other).await;
                }
            )+
        }
    };
}
