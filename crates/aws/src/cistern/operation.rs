//! The operations of Cistern.

crate::operation::operations! {
    /// An operation of Cistern.
    Operation;
    CancelCacheWarming
    CollectGarbage
    DeletePullThroughCacheRulePolicy
    DescribeCacheWarming
    DescribePullThroughCacheRulePolicies
    ImportCacheImage
    ImportCacheLayer
    PutPullThroughCacheRulePolicy
    StartCacheWarming
}
