//! What is scanned when, as it is configured.

use aws::{
    Arn, Exception,
    ecr::{
        BatchGetRepositoryScanningConfigurationRequest,
        BatchGetRepositoryScanningConfigurationResponse, GetRegistryScanningConfigurationRequest,
        GetRegistryScanningConfigurationResponse, PutRegistryScanningConfigurationRequest,
        PutRegistryScanningConfigurationResponse, RegistryScanningConfiguration,
        RegistryScanningRule, RepositoryScanningConfiguration,
        RepositoryScanningConfigurationFailure, ScanningRepositoryFilter,
    },
    json,
};
use metadata::{RegistryId, RegistryScanType, RegistryScanning, ScanFrequency, ScanningRule};
use registry::RepositoryScanning;

use super::{Call, Outcome, setting_failure::setting, validate};

/// The one kind of filter.
const WILDCARD: &str = "WILDCARD";
/// `ScanningRepositoryFilterValue`, as the model writes it.
const FILTER_PATTERN: &str = r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$";

/// `GetRegistryScanningConfiguration`.
pub(super) async fn get(call: &Call<'_>) -> Outcome {
    let GetRegistryScanningConfigurationRequest {} = call.ecr()?;
    let scanning = call.registry().scanning(call.caller()).await;
    let scanning = scanning.map_err(|error| setting(error, call))?;
    Ok(json::render(&GetRegistryScanningConfigurationResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        scanning_configuration: Some(write(scanning)),
    }))
}

/// `PutRegistryScanningConfiguration`.
pub(super) async fn put(call: &Call<'_>) -> Outcome {
    let request: PutRegistryScanningConfigurationRequest = call.ecr()?;
    let scanning = read(request)?;
    let set = call.registry().set_scanning(call.caller(), scanning.clone()).await;
    set.map_err(|error| setting(error, call))?;
    let registry_scanning_configuration = Some(write(scanning));
    Ok(json::render(&PutRegistryScanningConfigurationResponse { registry_scanning_configuration }))
}

/// `BatchGetRepositoryScanningConfiguration`.
pub(super) async fn batch_get(call: &Call<'_>) -> Outcome {
    let request: BatchGetRepositoryScanningConfigurationRequest = call.ecr()?;
    let names = &request.repository_names;
    validate::length("repositoryNames", names.len(), 1..=25)?;
    let names: Vec<_> = names
        .iter()
        .map(|name| validate::parse_repository("repositoryNames", name))
        .collect::<Result<_, _>>()?;
    let found = call.registry().repository_scanning(call.caller(), &names).await;
    let mut answer = BatchGetRepositoryScanningConfigurationResponse::default();
    for found in found.map_err(|error| setting(error, call))? {
        match found {
            Ok(scanning) => answer.scanning_configurations.push(write_one(call, scanning)),
            Err(name) => answer.failures.push(RepositoryScanningConfigurationFailure {
                repository_name: Some(name.to_string()),
                failure_code: Some("REPOSITORY_NOT_FOUND".to_owned()),
                failure_reason: Some(format!(
                    "The repository with name '{name}' does not exist in the registry with id \
                     '{}'",
                    call.registry_id().account
                )),
            }),
        }
    }
    Ok(json::render(&answer))
}

fn read(request: PutRegistryScanningConfigurationRequest) -> Result<RegistryScanning, Exception> {
    let word = request.scan_type.as_deref();
    let scan_type = match word {
        None => RegistryScanType::default(),
        Some(word) => RegistryScanType::parse(word).ok_or_else(|| {
            validate::violation("scanType", "must satisfy enum value set: [BASIC, ENHANCED]")
        })?,
    };
    let rules = request.rules.unwrap_or_default();
    validate::length("rules", rules.len(), 0..=2)?;
    let rules = rules.into_iter().map(read_rule).collect::<Result<_, _>>()?;
    Ok(RegistryScanning { scan_type, rules })
}

fn read_rule(rule: RegistryScanningRule) -> Result<ScanningRule, Exception> {
    let RegistryScanningRule { scan_frequency, repository_filters } = rule;
    let frequency = ScanFrequency::parse(&scan_frequency).ok_or_else(|| {
        let text = "must satisfy enum value set: [SCAN_ON_PUSH, CONTINUOUS_SCAN, MANUAL]";
        validate::violation("rules.scanFrequency", text)
    })?;
    let at = "rules.repositoryFilters";
    validate::length(at, repository_filters.len(), 0..=100)?;
    let filter = |ScanningRepositoryFilter { filter, filter_type }| {
        validate::one_of(&format!("{at}.filterType"), &filter_type, &[WILDCARD])?;
        let at = format!("{at}.filter");
        validate::length(&at, filter.chars().count(), 1..=255)?;
        if is_filter(&filter) { Ok(filter) } else { Err(validate::pattern(&at, FILTER_PATTERN)) }
    };
    let filters = repository_filters.into_iter().map(filter).collect::<Result<_, _>>()?;
    Ok(ScanningRule { frequency, filters })
}

/// What [`FILTER_PATTERN`] says: words and stars, with one separator at most between two.
fn is_filter(text: &str) -> bool {
    let is_word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'*';
    let bytes = text.as_bytes();
    let separated = bytes.windows(2).all(|pair| pair.iter().any(is_word));
    bytes.iter().all(|b| is_word(b) || b"._-/".contains(b))
        && separated
        && bytes.first().is_some_and(is_word)
        && bytes.last().is_some_and(is_word)
}

fn write(scanning: RegistryScanning) -> RegistryScanningConfiguration {
    let rules = scanning.rules.into_iter().map(|rule| RegistryScanningRule {
        scan_frequency: rule.frequency.as_str().to_owned(),
        repository_filters: rule.filters.into_iter().map(write_filter).collect(),
    });
    RegistryScanningConfiguration {
        scan_type: Some(scanning.scan_type.as_str().to_owned()),
        rules: Some(rules.collect()),
    }
}

fn write_filter(filter: String) -> ScanningRepositoryFilter {
    ScanningRepositoryFilter { filter, filter_type: WILDCARD.to_owned() }
}

fn write_one(call: &Call<'_>, scanning: RepositoryScanning) -> RepositoryScanningConfiguration {
    let RegistryId { account, region } = call.registry_id();
    let name = scanning.name.as_str();
    RepositoryScanningConfiguration {
        repository_arn: Some(Arn::repository(region.as_str(), account.as_str(), name).to_string()),
        repository_name: Some(name.to_owned()),
        scan_on_push: Some(scanning.scan_on_push),
        scan_frequency: Some(scanning.frequency.as_str().to_owned()),
        applied_scan_filters: Some(scanning.filters.into_iter().map(write_filter).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_the_model() {
        for good in ["*", "prod", "prod*", "a/b-*", "**", "a.b_c"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a--b", "A", "a b", "-"] {
            assert!(!is_filter(bad), "{bad}");
        }
    }
}
