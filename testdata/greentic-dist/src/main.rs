//! greentic-dist-lock LOCK CACHE [PUBLIC_KEY.pem] pulls what LOCK lists, and prints the digest and
//! the file of each artifact. With a key every entry has to be signed by it.

use std::{env, fs, path::PathBuf, process::exit};

use greentic_distributor_client::{
    DistClient, DistOptions, TrustedKey, VerificationEnvironment, VerificationPolicy,
    key_id_for_public_key_pem,
};

#[tokio::main]
async fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let options = DistOptions {
        cache_dir: PathBuf::from(&args[1]),
        ..DistOptions::default()
    };
    let mut policy = VerificationPolicy {
        environment: VerificationEnvironment::Prod,
        ..VerificationPolicy::default()
    };
    if let Some(file) = args.get(2) {
        let public_key_pem = fs::read_to_string(file).expect("the key can be read");
        let key_id = key_id_for_public_key_pem(&public_key_pem).expect("the key is one of Ed25519");
        policy.require_signature = true;
        policy.trusted_keys = vec![TrustedKey {
            key_id,
            public_key_pem,
        }];
    }
    let pulled = DistClient::new(options)
        .pull_lock_verified(&PathBuf::from(&args[0]), &policy)
        .await;
    match pulled {
        Ok(artifacts) => {
            for artifact in artifacts {
                println!(
                    "{} {}",
                    artifact.descriptor.digest,
                    artifact.local_path.display()
                );
            }
        }
        Err(err) => {
            eprintln!("{err}");
            exit(1);
        }
    }
}
