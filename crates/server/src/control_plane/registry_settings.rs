//! The registry as a whole: replication and account settings.

use aws::{
    Exception,
    ecr::{
        self, DescribeRegistryRequest, DescribeRegistryResponse, GetAccountSettingRequest,
        GetAccountSettingResponse, PutAccountSettingRequest, PutAccountSettingResponse,
        PutReplicationConfigurationRequest, PutReplicationConfigurationResponse,
        ReplicationConfiguration, RepositoryFilter,
    },
    json,
};
use metadata::{ReplicationDestination, ReplicationRule};
use registry::AccountSetting;

use super::{Call, Outcome, setting_failure::setting, validate};

/// The one kind of filter.
const PREFIX_MATCH: &str = "PREFIX_MATCH";
/// `RepositoryFilterValue`, as the model writes it.
const PREFIX_PATTERN: &str = r"^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$";

/// `DescribeRegistry`.
pub(super) async fn describe(call: &Call<'_>) -> Outcome {
    let DescribeRegistryRequest {} = call.ecr()?;
    let rules = call.registry().replication(call.caller()).await;
    let rules = rules.map_err(|error| setting(error, call))?;
    Ok(json::render(&DescribeRegistryResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        replication_configuration: Some(write(rules)),
    }))
}

/// `PutReplicationConfiguration`.
pub(super) async fn put_replication(call: &Call<'_>) -> Outcome {
    let request: PutReplicationConfigurationRequest = call.ecr()?;
    let rules = read(request.replication_configuration)?;
    let set = call.registry().set_replication(call.caller(), rules.clone()).await;
    set.map_err(|error| setting(error, call))?;
    let replication_configuration = Some(write(rules));
    Ok(json::render(&PutReplicationConfigurationResponse { replication_configuration }))
}

/// `GetAccountSetting`.
pub(super) async fn get_account_setting(call: &Call<'_>) -> Outcome {
    let request: GetAccountSettingRequest = call.ecr()?;
    let name = account_setting(&request.name)?;
    let value = call.registry().account_setting(call.caller(), name).await;
    let value = Some(value.map_err(|error| setting(error, call))?);
    Ok(json::render(&GetAccountSettingResponse { name: Some(request.name), value }))
}

/// `PutAccountSetting`.
pub(super) async fn put_account_setting(call: &Call<'_>) -> Outcome {
    let request: PutAccountSettingRequest = call.ecr()?;
    let name = account_setting(&request.name)?;
    let set = call.registry().set_account_setting(call.caller(), name, &request.value).await;
    set.map_err(|error| setting(error, call))?;
    let (name, value) = (Some(request.name), Some(request.value));
    Ok(json::render(&PutAccountSettingResponse { name, value }))
}

fn account_setting(name: &str) -> Result<AccountSetting, Exception> {
    validate::length("name", name.chars().count(), 1..=64)?;
    AccountSetting::parse(name).ok_or_else(|| {
        let all = AccountSetting::ALL.map(AccountSetting::as_str).join(", ");
        validate::violation("name", &format!("must satisfy enum value set: [{all}]"))
    })
}

fn read(configuration: ReplicationConfiguration) -> Result<Vec<ReplicationRule>, Exception> {
    const MEMBER: &str = "replicationConfiguration.rules";
    validate::length(MEMBER, configuration.rules.len(), 0..=10)?;
    configuration.rules.into_iter().map(|rule| read_rule(MEMBER, rule)).collect()
}

fn read_rule(member: &str, rule: ecr::ReplicationRule) -> Result<ReplicationRule, Exception> {
    let at = format!("{member}.destinations");
    validate::length(&at, rule.destinations.len(), 0..=100)?;
    for destination in &rule.destinations {
        validate::account(&format!("{at}.registryId"), &destination.registry_id)?;
        let is_region_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let (region, at) = (&destination.region, format!("{at}.region"));
        validate::length(&at, region.chars().count(), 2..=25)?;
        if !region.chars().all(is_region_char) {
            return Err(validate::pattern(&at, "[0-9a-z-]{2,25}"));
        }
    }
    let at = format!("{member}.repositoryFilters");
    if let Some(filters) = &rule.repository_filters {
        validate::length(&at, filters.len(), 1..=100)?;
        for RepositoryFilter { filter, filter_type } in filters {
            validate::one_of(&format!("{at}.filterType"), filter_type, &[PREFIX_MATCH])?;
            let at = format!("{at}.filter");
            validate::length(&at, filter.chars().count(), 2..=256)?;
            if !is_prefix(filter) {
                return Err(validate::pattern(&at, PREFIX_PATTERN));
            }
        }
    }
    let destinations = rule.destinations.into_iter();
    let destinations = destinations.map(|destination| ReplicationDestination {
        region: destination.region,
        account: destination.registry_id,
    });
    let prefixes =
        |filters: Vec<RepositoryFilter>| filters.into_iter().map(|filter| filter.filter).collect();
    Ok(ReplicationRule {
        destinations: destinations.collect(),
        repository_prefixes: rule.repository_filters.map(prefixes),
        deletions: rule.delete_replication.map(|deletions| deletions.enabled),
    })
}

/// What [`PREFIX_PATTERN`] says: components that begin with a letter or digit, the last of which
/// may be cut off anywhere.
fn is_prefix(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_inner = |b: u8| is_word(b) || b"._-".contains(&b);
    let (whole, last) = text.rsplit_once('/').map_or((None, text), |(a, b)| (Some(a), b));
    let mut components = whole.into_iter().flat_map(|whole| whole.split('/'));
    components.all(|it| it.bytes().next().is_some_and(is_word) && it.bytes().all(is_inner))
        && last.bytes().all(is_inner)
}

fn write(rules: Vec<ReplicationRule>) -> ReplicationConfiguration {
    let destination = |destination: ReplicationDestination| ecr::ReplicationDestination {
        region: destination.region,
        registry_id: destination.account,
    };
    let filter = |filter: String| RepositoryFilter { filter, filter_type: PREFIX_MATCH.to_owned() };
    let rules = rules.into_iter().map(|rule| ecr::ReplicationRule {
        destinations: rule.destinations.into_iter().map(destination).collect(),
        repository_filters: rule
            .repository_prefixes
            .map(|prefixes| prefixes.into_iter().map(filter).collect()),
        delete_replication: rule.deletions.map(|enabled| ecr::DeleteReplication { enabled }),
    });
    ReplicationConfiguration { rules: rules.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_the_model() {
        for good in ["prod", "a/b", "a/b-", "a._-/b", "team/", "-x", "a/-x"] {
            assert!(is_prefix(good), "{good}");
        }
        for bad in ["/a", "a//b", "-a/b", "A", "a b", "a/*"] {
            assert!(!is_prefix(bad), "{bad}");
        }
    }
}
