//! The operations of Cistern.

crate::operation::operations! {
    /// An operation of Cistern.
    Operation;
    CollectGarbage
    DeletePullThroughCacheRulePolicy
    DescribePullThroughCacheRulePolicies
    PutPullThroughCacheRulePolicy
}
