//! The operations of Cistern.

crate::operation::operations! {
    /// An operation of Cistern.
    Operation;
    CancelCacheWarming
    CollectGarbage
    DeletePullThroughCacheRulePolicy
    DescribeCacheWarming
    DescribePullThroughCacheRulePolicies
    ExplainImage
    ImportCacheImage
    ImportCacheLayer
    PutPullThroughCacheRulePolicy
    StartCacheWarming
}
