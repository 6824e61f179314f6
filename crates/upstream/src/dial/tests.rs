//! Which addresses may be dialled.

use super::*;

#[test]
fn every_special_address_needs_its_reach() {
    for (text, needed) in [
        ("1.1.1.1", Reach::Public),
        ("100.63.255.255", Reach::Public),
        ("172.15.0.1", Reach::Public),
        ("172.32.0.1", Reach::Public),
        ("192.0.1.1", Reach::Public),
        ("2606:4700::1111", Reach::Public),
        ("::ffff:1.1.1.1", Reach::Public),
        ("64:ff9b::101:101", Reach::Public),
        ("10.0.0.1", Reach::Private),
        ("172.16.0.1", Reach::Private),
        ("172.31.255.255", Reach::Private),
        ("192.168.1.1", Reach::Private),
        ("100.64.0.1", Reach::Private),
        ("100.127.255.255", Reach::Private),
        ("198.18.0.1", Reach::Private),
        ("fc00::1", Reach::Private),
        ("fd12:3456::1", Reach::Private),
        ("::ffff:10.0.0.1", Reach::Private),
        ("64:ff9b::a00:1", Reach::Private),
        ("2002:a00:1::", Reach::Private),
        ("127.0.0.1", Reach::Loopback),
        ("127.255.0.1", Reach::Loopback),
        ("::1", Reach::Loopback),
        ("::ffff:127.0.0.1", Reach::Loopback),
        ("64:ff9b::7f00:1", Reach::Loopback),
        ("0.0.0.0", Reach::Any),
        ("0.1.2.3", Reach::Any),
        ("169.254.169.254", Reach::Any),
        ("::ffff:169.254.169.254", Reach::Any),
        ("fd00:ec2::254", Reach::Any),
        ("64:ff9b::a9fe:a9fe", Reach::Any),
        ("64:ff9b:1::101:101", Reach::Any),
        ("192.0.0.8", Reach::Any),
        ("224.0.0.1", Reach::Any),
        ("240.0.0.1", Reach::Any),
        ("255.255.255.255", Reach::Any),
        ("::", Reach::Any),
        ("::7f00:1", Reach::Any),
        ("fe80::1", Reach::Any),
        ("fec0::1", Reach::Any),
        ("ff02::1", Reach::Any),
    ] {
        assert_eq!(Reach::needed_for(text.parse().unwrap()), needed, "{text}");
    }
}

#[test]
fn spellings_of_an_address_are_one() {
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://017700000001/",
        "http://2130706433/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    ] {
        let url = Url::parse(url).unwrap();
        assert!(!Reach::Private.permits(&url), "{url}");
        assert!(Reach::Loopback.permits(&url), "{url}");
    }
}

#[test]
fn an_upstream_leads_no_further_than_it_lies_itself() {
    for (upstream, destination, permitted) in [
        ("1.1.1.1", "http://2.2.2.2/", true),
        ("1.1.1.1", "http://10.0.0.1/", false),
        ("1.1.1.1", "http://127.0.0.1/", false),
        ("1.1.1.1", "http://169.254.169.254/", false),
        ("10.0.0.1", "http://192.168.0.1/", true),
        ("10.0.0.1", "http://127.0.0.1/", false),
        ("10.0.0.1", "http://[fe80::1]/", false),
        ("127.0.0.1", "http://127.0.0.1/", true),
        ("127.0.0.1", "http://169.254.169.254/", false),
        ("169.254.169.254", "http://169.254.169.254/", false),
    ] {
        let reach = Reach::granted_by(upstream.parse().unwrap());
        let url = Url::parse(destination).unwrap();
        assert_eq!(reach.permits(&url), permitted, "{upstream} to {destination}");
    }
}

#[derive(Debug)]
struct Fixed(Vec<IpAddr>);

#[async_trait]
impl Lookup for Fixed {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn names_are_judged_by_their_addresses() {
    let addresses = ["1.1.1.1", "10.0.0.1", "127.0.0.1", "fd00:ec2::254"];
    let all: Vec<IpAddr> = addresses.map(|text| text.parse().unwrap()).to_vec();
    for (reach, count) in Reach::ALL.into_iter().zip(1..) {
        let resolver = GuardedResolver { lookup: Arc::new(Fixed(all.clone())), reach };
        let found = resolver.resolve("any.example".parse().unwrap()).await.unwrap();
        assert_eq!(found.map(|address| address.ip()).collect::<Vec<_>>(), all[..count]);
    }
    let lookup = Arc::new(Fixed(all[1..].to_vec()));
    let resolver = GuardedResolver { lookup, reach: Reach::Public };
    let refused = resolver.resolve("any.example".parse().unwrap()).await.err().unwrap();
    assert!(refused.is::<RefusedAddress>());
    let resolver = GuardedResolver { lookup: Arc::new(Fixed(Vec::new())), reach: Reach::Any };
    let unresolved = resolver.resolve("any.example".parse().unwrap()).await.err().unwrap();
    assert!(unresolved.is::<UnresolvedName>());
}
