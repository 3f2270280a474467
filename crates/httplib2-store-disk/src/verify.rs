//! Reading every body to see whether it is as it was written.

use std::{collections::HashMap, sync::Arc};

use httplib2_store::StoreError;

use crate::{content::Attached, digest::Digest, reader::Asked, report::Verified, shared::Shared};

/// Checks the body of every entry, each content once.
pub(crate) fn verify(shared: &Arc<Shared>) -> Result<Verified, StoreError> {
    let mut verified = Verified::default();
    let mut seen: HashMap<Digest, bool> = HashMap::new();
    for line in shared.list() {
        let Some(attached) = line.entry.attachment::<Attached>() else { continue };
        let (key, id, content) = (&line.key, line.entry.id(), &attached.content);
        let checked = match seen.get(&content.digest) {
            _ if content.length == 0 => Ok(()),
            Some(true) => Ok(()),
            Some(false) => Err(StoreError::Gone),
            None => Asked::new(shared, key, id, content).check_anew(),
        };
        seen.insert(content.digest, checked.is_ok());
        match checked {
            Ok(()) => {
                verified.whole += 1;
                verified.bytes += content.length;
            }
            Err(StoreError::Damaged) => verified.damaged += 1,
            Err(StoreError::Gone) => {
                verified.missing += 1;
                shared.remove(key, id);
                shared.save(key, false)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(verified)
}
