//! Exceptions of Cistern's own operations; where one of ECR's says it, that one is raised.

super::exceptions! {
    /// An exception that only operations of Cistern raise.
    CisternException;
    PolicyChanged "PullThroughCacheRulePolicyChangedException" 400
        "The policy of the rule is not the expected one: it was changed since it was read."
}
