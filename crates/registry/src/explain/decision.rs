//! What a pull would come to, from what it would look at.

use oci::Reference;
use upstream::Allowance;

use super::{CachedTag, CircuitState, Explanation, UpstreamState};
use crate::{Freshness, Match};

/// What is done with a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// What is here is served; nobody is asked.
    Serve,
    /// What is here is served, and the upstream is asked meanwhile.
    ServeAndRevalidate,
    /// What is here is served unconfirmed: its upstream cannot be asked now.
    ServeStale,
    /// The upstream is asked whether what is here still holds; it is served where no answer comes.
    Confirm,
    /// It comes from the upstream.
    Fetch,
    /// The pull fails.
    Refuse,
}

/// What a pull would come to, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is done.
    pub decision: Decision,
    /// Why, in one sentence.
    pub reason: String,
}

impl Decision {
    /// Returns the word for it in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serve => "SERVE",
            Self::ServeAndRevalidate => "SERVE_AND_REVALIDATE",
            Self::ServeStale => "SERVE_STALE",
            Self::Confirm => "CONFIRM",
            Self::Fetch => "FETCH",
            Self::Refuse => "REFUSE",
        }
    }
}

impl Verdict {
    pub(super) fn new(decision: Decision, reason: impl Into<String>) -> Self {
        Self { decision, reason: reason.into() }
    }
}

/// Decides as a pull does.
pub(super) fn decide(explanation: &Explanation, matched: Option<&Match>) -> Verdict {
    if let Some(matched) = matched {
        let admitted = matched.admit_repository().and_then(|()| match &explanation.reference {
            Reference::Tag(tag) => matched.admit_tag(tag),
            Reference::Digest(_) => Ok(()),
        });
        if let Err(refusal) = admitted {
            return Verdict::new(Decision::Refuse, refusal.to_string());
        }
    }
    if explanation.manifest.as_ref().is_some_and(|manifest| manifest.is_archived) {
        let reason = "it is archived: restore it, or push it again";
        return Verdict::new(Decision::Refuse, reason);
    }
    let is_here = explanation.manifest.is_some();
    match (&explanation.reference, &explanation.tag, &explanation.upstream) {
        (Reference::Digest(_), ..) if is_here => {
            Verdict::new(Decision::Serve, "it is here, and what a digest names never changes")
        }
        (_, Some(tag), _) if is_here && tag.is_pushed => {
            Verdict::new(Decision::Serve, "it was pushed here")
        }
        (_, Some(_), None) if is_here => {
            Verdict::new(Decision::Serve, "it is here, and no rule names an upstream to ask")
        }
        (_, Some(tag), Some(upstream)) if is_here => cached(tag, upstream),
        (_, Some(tag), _) if tag.is_pushed => {
            Verdict::new(Decision::Refuse, "it was pushed here, but its manifest is gone")
        }
        (.., Some(upstream)) => missing(upstream, "it is not here"),
        (.., None) => unknown(explanation),
    }
}

/// A cached tag whose manifest is here.
fn cached(tag: &CachedTag, upstream: &UpstreamState) -> Verdict {
    match tag.freshness {
        Freshness::Fresh => {
            return Verdict::new(Decision::Serve, "it is here, and fresh or pinned");
        }
        Freshness::Revalidate => {
            let reason = "it is here, and the rule lets it be served while the upstream is asked";
            return Verdict::new(Decision::ServeAndRevalidate, reason);
        }
        Freshness::Expired => {
            return missing(upstream, "it is here, but too old to be served unconfirmed");
        }
        Freshness::Stale => {}
    }
    let stale = |why: &str| {
        Verdict::new(Decision::ServeStale, format!("it is here and no longer fresh, and {why}"))
    };
    if upstream.backoff_until.is_some() {
        return stale("the upstream refused it a moment ago");
    }
    if let CircuitState::Open { .. } = upstream.circuit {
        return stale(
            "the upstream failed a moment ago: it is asked once in a while, by nobody's \
                      waiting",
        );
    }
    match upstream.allowance {
        Allowance::Held { .. } => return stale("the upstream answered 429 and is not asked yet"),
        Allowance::Short { head_is_free, .. } if !head_is_free || upstream.is_mute => {
            return stale("the upstream's budget is short");
        }
        Allowance::Short { .. } => {
            let reason = "it is here and no longer fresh; the upstream's budget is short, but a \
                          HEAD is free there";
            return Verdict::new(Decision::Confirm, reason);
        }
        Allowance::Free => {}
    }
    if let Some(problem) = &upstream.credentials_problem {
        return stale(&format!("the upstream cannot be asked: {problem}"));
    }
    let how = if upstream.is_mute {
        "asked to send it unless it still is what is here, for it says nothing to a HEAD"
    } else {
        "asked"
    };
    Verdict::new(
        Decision::Confirm,
        format!("it is here and no longer fresh: the upstream is {how}"),
    )
}

/// What has to come from the upstream.
fn missing(upstream: &UpstreamState, why: &str) -> Verdict {
    if let Some(problem) = &upstream.credentials_problem {
        return Verdict::new(Decision::Refuse, format!("{why}, and {problem}"));
    }
    if let Allowance::Held { .. } = upstream.allowance {
        let reason = format!("{why}, and the upstream answered 429 and is not asked yet");
        return Verdict::new(Decision::Refuse, reason);
    }
    let said = upstream.now.as_ref().map(|now| format!(" (just now: {})", now.said));
    Verdict::new(
        Decision::Fetch,
        format!("{why}: the upstream is asked{}", said.unwrap_or_default()),
    )
}

/// What nothing can bring.
fn unknown(explanation: &Explanation) -> Verdict {
    let reason = match (&explanation.rule_in, explanation.repository_exists) {
        (Some(region), _) => format!(
            "it is not here, and no rule matches in {}; one would in region {region}",
            explanation.registry.region
        ),
        (None, true) => "the repository is here, the image is not, and no rule matches".to_owned(),
        (None, false) => "it is not here, and no rule matches".to_owned(),
    };
    Verdict::new(Decision::Refuse, reason)
}
