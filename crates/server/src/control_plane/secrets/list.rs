//! Lists of secrets.

use aws::{
    Exception, json,
    secrets_manager::{Filter, ListSecretsRequest, ListSecretsResponse, SecretListEntry},
};
use registry::{ListSecrets, SecretAttribute, SecretFilter, SecretOrder, SecretView};

use super::{Call, Outcome, error, invalid, moment, page, stages, tags, violation};

/// `FiltersListType` and `FilterValuesStringList`: how many at most; `FilterValueStringType`: how
/// long.
const FILTERS_MAX: usize = 10;
const VALUES_MAX: usize = 10;
const VALUE_CHARS_MAX: usize = 512;

/// `ListSecrets`.
pub(in super::super) async fn list(call: &Call<'_>) -> Outcome {
    let request: ListSecretsRequest = call.secrets_manager()?;
    let page = page::read(request.next_token.as_deref(), request.max_results)?;
    let list = ListSecrets {
        filters: filters(request.filters.unwrap_or_default())?,
        include_scheduled: request.include_planned_deletion.unwrap_or_default(),
        order: order(request.sort_by.as_deref())?,
        descending: is_descending(request.sort_order.as_deref())?,
    };
    let found = call.registry().secrets(call.caller(), &list, &page).await;
    let found = found.map_err(error::secret)?;
    Ok(json::render(&ListSecretsResponse {
        secret_list: found.items.into_iter().map(entry).collect(),
        next_token: page::write(found.next),
    }))
}

fn entry(view: SecretView) -> SecretListEntry {
    let SecretView { arn, secret } = view;
    let stages = stages(secret.versions);
    SecretListEntry {
        arn: Some(arn),
        name: Some(secret.name),
        description: secret.description,
        kms_key_id: secret.kms_key_id,
        last_changed_date: Some(moment(secret.changed_at)),
        deleted_date: secret.deleted_at.map(moment),
        tags: tags(secret.tags),
        secret_versions_to_stages: (!stages.is_empty()).then_some(stages),
        created_date: Some(moment(secret.created_at)),
        ..SecretListEntry::default()
    }
}

/// Reads filters, of this operation and of `BatchGetSecretValue`.
pub(super) fn filters(filters: Vec<Filter>) -> Result<Vec<SecretFilter>, Exception> {
    if filters.len() > FILTERS_MAX {
        return Err(violation("filters", "must have length less than or equal to 10"));
    }
    filters.into_iter().map(filter).collect()
}

fn filter(filter: Filter) -> Result<SecretFilter, Exception> {
    let key = filter.key.ok_or_else(|| invalid("Invalid filter key".to_owned()))?;
    let attribute = match key.as_str() {
        "name" => SecretAttribute::Name,
        "description" => SecretAttribute::Description,
        "tag-key" => SecretAttribute::TagKey,
        "tag-value" => SecretAttribute::TagValue,
        "primary-region" => SecretAttribute::PrimaryRegion,
        "owning-service" => SecretAttribute::OwningService,
        "all" => SecretAttribute::All,
        _ => {
            return Err(violation(
                "filters.member.key",
                "must satisfy enum value set: [all, name, tag-key, description, tag-value, \
                 primary-region, owning-service]",
            ));
        }
    };
    let values = filter.values.unwrap_or_default();
    if values.is_empty() {
        return Err(invalid(format!("Invalid filter values for key: {key}")));
    }
    if values.len() > VALUES_MAX {
        let constraint = "must have length less than or equal to 10";
        return Err(violation("filters.member.values", constraint));
    }
    if values.iter().any(|value| value.chars().count() > VALUE_CHARS_MAX) {
        let constraint = "must have length less than or equal to 512";
        return Err(violation("filters.member.values.member", constraint));
    }
    Ok(SecretFilter { attribute, values })
}

/// "If not specified, secrets are listed by CreatedDate" (API reference of ListSecrets). When a
/// secret was last read is not kept here: by that, all are alike and listed by name.
fn order(sort_by: Option<&str>) -> Result<SecretOrder, Exception> {
    match sort_by {
        None | Some("created-date") => Ok(SecretOrder::CreatedAt),
        Some("last-changed-date") => Ok(SecretOrder::ChangedAt),
        Some("name" | "last-accessed-date") => Ok(SecretOrder::Name),
        Some(_) => Err(violation(
            "sortBy",
            "must satisfy enum value set: [created-date, last-accessed-date, last-changed-date, \
             name]",
        )),
    }
}

fn is_descending(sort_order: Option<&str>) -> Result<bool, Exception> {
    match sort_order {
        None | Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(_) => Err(violation("sortOrder", "must satisfy enum value set: [asc, desc]")),
    }
}
