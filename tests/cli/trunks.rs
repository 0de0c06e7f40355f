//! `cordboard check` over several trunks and over the addresses that peers are told.

use super::*;

#[test]
fn two_trunks_whose_calls_in_cannot_be_told_apart_are_told() {
    let directory = TempDir::new("cli");
    let file = |name: &str, more: &str| {
        write(directory.path(), &format!("{name}.toml"), &format!("name = \"{name}\"\ntarget = \"192.0.2.7\"\n{more}"));
    };
    let by_address = "kind = \"address\"\n";
    file("one", &format!("{by_address}addresses = [\"192.0.2.7\"]\n"));
    file("net", &format!("{by_address}addresses = [\"192.0.2.0/28\"]\n"));
    file("targets", &format!("{by_address}sources = \"targets\"\n"));
    file("tcp", &format!("{by_address}addresses = [\"192.0.2.7\"]\ntransport = \"tcp\"\n"));
    file("out", &format!("{by_address}addresses = []\n"));
    file("elsewhere", &format!("{by_address}addresses = [\"192.0.2.16/28\"]\n"));
    for (name, login) in [("north", "n4711"), ("south", "s4711"), ("twin", "n4711")] {
        file(name, &format!("kind = \"registration\"\nlogin = \"{login}\"\npassword = \"x\"\n"));
    }
    let check = |trunks: [&str; 2]| {
        let named = format!("trunks = [\"{}.toml\", \"{}.toml\"]\n", trunks[0], trunks[1]);
        write(directory.path(), "cordboard.toml", &named);
        let output = cordboard(directory.path(), &["check"]);
        (output.status.code(), said(&output))
    };
    for trunks in [["one", "net"], ["net", "one"], ["one", "targets"], ["north", "twin"]] {
        let (code, said) = check(trunks);
        let told =
            format!("{}.toml:1: calls in over \"{}\" and over \"{}\" come from", trunks[1], trunks[1], trunks[0]);
        assert!(code == Some(1) && said.contains(&told) && said.contains("1 mistake"), "{trunks:?}: {said}");
    }
    for trunks in [["one", "tcp"], ["one", "out"], ["one", "elsewhere"], ["north", "south"], ["one", "north"]] {
        let (code, said) = check(trunks);
        assert_eq!(code, Some(0), "{trunks:?}: {said}");
    }
}

#[test]
fn a_public_address_is_one_of_each_family_that_is_listened_on() {
    let directory = TempDir::new("cli");
    let check = |sip: &str| {
        write(directory.path(), "cordboard.toml", &format!("[sip]\n{sip}\n[media]\nbind_ip = \"192.0.2.10\"\n"));
        let output = cordboard(directory.path(), &["check"]);
        (output.status.code(), said(&output))
    };
    for (sip, mistake) in [
        (
            "public_address = [\"203.0.113.7\", \"203.0.113.8\"]",
            "cordboard.toml:2: [sip]: `public_address` names two addresses of one family",
        ),
        (
            "public_address = [\"203.0.113.7\", \"2001:db8::7\"]",
            "cordboard.toml:2: [sip]: `public_address` is of a family that nobody here listens on",
        ),
        ("public_address = \"sip.desk.example\"", "cordboard.toml:2: [sip]: `public_address"),
    ] {
        let (code, said) = check(sip);
        assert!(code == Some(1) && said.contains(mistake) && said.contains("1 mistake"), "{sip}: {said}");
    }
    for sip in [
        "public_address = \"203.0.113.7\"",
        "trunk_bind = \"[::]:5060\"\npublic_address = [\"203.0.113.7\", \"2001:db8::7\"]",
    ] {
        let (code, said) = check(sip);
        assert_eq!(code, Some(0), "{sip}: {said}");
    }
}
