//! How much memory the machine has and the process takes, where the system says it in files.

use std::fs;

/// The memory that this process may take: the machine's, or less where a control group says so. `None` where the system
/// has no such files.
#[must_use]
pub fn memory_of_machine() -> Option<u64> {
    let machine = kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let group = limits.iter().filter_map(|path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok()).min();
    Some(group.map_or(machine, |group| group.min(machine)))
}

/// The memory that this process takes now. `None` where the system has no such file.
#[must_use]
pub fn memory_in_use() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The bytes of a line such as `VmRSS:     123456 kB`.
fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_system_are_read() {
        let text = "Name:\tannotc\nVmHWM:\t  2048 kB\nVmRSS:\t     12 kB\n";
        assert_eq!(kibibytes(text, "VmRSS:"), Some(12 << 10));
        assert_eq!(kibibytes(text, "VmSwap:"), None);
        if let (Some(machine), Some(used)) = (memory_of_machine(), memory_in_use()) {
            assert!(used > 0 && used < machine, "{used} of {machine}");
        }
    }
}
