//! `cistern rule validate`: rules, tried for real.

use aws::ecr::{
    Operation, ValidatePullThroughCacheRuleRequest, ValidatePullThroughCacheRuleResponse,
};

use super::rules;
use crate::{
    error::Error,
    output::{Table, optional},
    session::Session,
};

/// Has a rule tried.
pub(super) async fn ask(
    session: &Session<'_>,
    prefix: &str,
) -> Result<ValidatePullThroughCacheRuleResponse, Error> {
    let request = ValidatePullThroughCacheRuleRequest {
        ecr_repository_prefix: prefix.to_owned(),
        registry_id: None,
    };
    session.client.ecr(Operation::ValidatePullThroughCacheRule, &request).await
}

/// Tries rules, all where none is named, and fails where one does not work.
pub(super) async fn run(session: &Session<'_>, prefixes: Vec<String>) -> Result<(), Error> {
    let is_one = prefixes.len() == 1;
    let prefixes = if prefixes.is_empty() {
        let all = rules(session, None).await?;
        all.into_iter().filter_map(|rule| rule.ecr_repository_prefix).collect()
    } else {
        prefixes
    };
    let mut answers = Vec::with_capacity(prefixes.len());
    for prefix in &prefixes {
        answers.push(ask(session, prefix).await?);
    }
    let mut table = Table::new("rules", &["PREFIX", "UPSTREAM", "WORKS", "WHY NOT"]);
    for answer in &answers {
        table.row([
            optional(answer.ecr_repository_prefix.as_deref()),
            optional(answer.upstream_registry_url.as_deref()),
            if answer.is_valid == Some(true) { "yes".to_owned() } else { "no".to_owned() },
            optional(answer.failure.as_deref()),
        ]);
    }
    match answers.as_slice() {
        [answer] if is_one => session.output.list(answer, &table)?,
        answers => session.output.list(&answers, &table)?,
    }
    let broken: Vec<&str> = answers
        .iter()
        .filter(|answer| answer.is_valid != Some(true))
        .filter_map(|answer| answer.ecr_repository_prefix.as_deref())
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    let first = answers.iter().find(|answer| answer.is_valid != Some(true));
    let why = first.and_then(|answer| answer.failure.as_deref()).unwrap_or("nobody says why");
    let all = broken.join(", ");
    Err(Error::Failed(format!("does not work: {all}: {}", why.trim_end_matches('.'))))
}
