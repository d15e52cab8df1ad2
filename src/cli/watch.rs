//! mod-watch's flags.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use super::{Common, Tool};
use crate::{signals::Role, units};

const AFTER: &str = "\
Examples:
  mod-watch start -- sh -c 'ccap-fetch -i ccaps.csv --every 10m | mod-parse | mod-store --notify'
  mod-watch status
  mod-watch status --json | jq .statistics
  mod-watch status --nagios                                # one line for a monitoring plugin
  mod-watch check || logger 'the scanner is not well'      # from cron, every five minutes
  mod-watch stop
  mod-watch start                                          # the command that ran last

Exit status:
  0  done; check and status: it runs and is healthy
  1  failed; check and status: it does not run
  2  wrong usage or settings: nothing was done
  3  check and status: it runs, but is unhealthy or degraded
  4  run and start: it is running already, nothing was done
  status and check with --nagios: 0 OK, 1 unhealthy or degraded, 2 it does not run, 3 nothing of that name is there

Files in --dir: NAME.pid (the lock and the supervisor's process number), NAME.status, NAME.cmd, NAME.down,
NAME.log (the command's stderr), NAME.sock (where it reports progress), watchdog.log (what mod-watch did).";

/// Keep a pipeline alive, and report its state
///
/// COMMAND is started in a process group of its own. It proves progress on the socket that NOTIFY_SOCKET
/// names, as `mod-store --notify` does; without a heartbeat for --max-heartbeat-age, or when it ends, all
/// of it is ended and started again, up to --max-restart-attempts times in a row.
#[derive(Parser, Clone, Debug)]
#[command(name = "mod-watch", version, after_help = AFTER, max_term_width = 100)]
pub struct Watch {
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub options: Options,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub common: Common,
}

/// What to do.
#[derive(Subcommand, Clone, Debug)]
pub enum Verb {
    /// Supervise COMMAND in the foreground, until SIGTERM, SIGINT or `stop`
    Run {
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<String>,
        /// Started by `start` or `check`, which hand down the lock on standard input
        #[arg(long, hide = true)]
        detached: bool,
    },
    /// Supervise COMMAND in the background; ends once it is up, or says why not
    Start {
        /// The command and its arguments [default: the command that ran last, with its options]
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// For cron: silent when healthy; starts it again when it is not running, unless `stop` was given
    Check {
        /// Print the line of `status --nagios` afterwards, and exit with its code
        #[arg(long)]
        nagios: bool,
        /// What to start when it is not running [default: the command that ran last, with its options]
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Print the state on one line
    Status {
        /// Print the whole status as JSON
        #[arg(long)]
        json: bool,
        /// Print one line with performance data and exit as monitoring plugins do: 0, 1, 2 or 3
        #[arg(long, conflicts_with = "json")]
        nagios: bool,
        /// Print gauges for Prometheus, as node_exporter's textfile collector reads them
        #[arg(long, conflicts_with_all = ["json", "nagios"])]
        prom: bool,
    },
    /// Stop the command; `check` does not start it again until `start` does
    Stop,
    /// Forget that it failed, so that `check` starts it again
    Reset,
}

/// How `status` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line for people.
    Line,
    /// One record.
    Json,
    /// One line for monitoring.
    Nagios,
    /// Gauges.
    Prom,
}

/// What holds for every verb.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Supervision")]
pub struct Options {
    /// Name of what is supervised, and of its files
    #[arg(long, global = true, default_value = "modulation_scanner")]
    pub name: String,
    /// Directory of its files [default: MODTOOLS_RUN_DIR, else /run/modtools as root, else
    /// ~/.local/state/modtools/run]
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Restart the command when no heartbeat came for this long
    #[arg(long, global = true, value_name = "DURATION", default_value = "300s", value_parser = units::duration)]
    pub max_heartbeat_age: Duration,
    /// Restarts in a row before it counts as failed; healthy running resets the count
    #[arg(long, global = true, value_name = "COUNT", default_value_t = 3)]
    pub max_restart_attempts: u32,
    /// Pause before a restart; doubled, with some jitter, for each further one in a row
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = units::duration)]
    pub restart_delay: Duration,
    /// Time between TERM and KILL when the command has to end
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = units::duration)]
    pub stop_timeout: Duration,
    /// Interval of the scans: when nothing was stored for two of them, the status is degraded
    #[arg(long, global = true, value_name = "DURATION", default_value = "10m", value_parser = units::duration)]
    pub interval: Duration,
    /// When it has failed, run CMD with sh, with the reason and the last lines of stderr on standard input
    #[arg(long, global = true, value_name = "CMD")]
    pub on_failure: Option<String>,
    /// Rotate NAME.log at this size; three old ones are kept
    #[arg(long, global = true, value_name = "SIZE", default_value = "10MiB", value_parser = units::size)]
    pub max_log: u64,
}

impl Options {
    /// Whether only `--name` and `--dir` were given.
    #[must_use]
    pub fn are_defaults(&self) -> bool {
        let given = self.run_argv("", &[]);
        let name = format!("--name={}", self.name);
        let defaults = Watch::try_parse_from(["mod-watch", "stop", &name]);
        defaults.is_ok_and(|defaults| defaults.options.run_argv("", &[]) == given)
    }

    /// The arguments of a `run` with these options.
    #[must_use]
    pub fn run_argv(&self, dir: &str, command: &[String]) -> Vec<String> {
        let ms = |duration: Duration| format!("{}ms", duration.as_millis());
        let mut argv: Vec<String> = vec!["run".into()];
        for (flag, value) in [
            ("--name", self.name.clone()),
            ("--dir", dir.to_owned()),
            ("--max-heartbeat-age", ms(self.max_heartbeat_age)),
            ("--max-restart-attempts", self.max_restart_attempts.to_string()),
            ("--restart-delay", ms(self.restart_delay)),
            ("--stop-timeout", ms(self.stop_timeout)),
            ("--interval", ms(self.interval)),
            ("--max-log", self.max_log.to_string()),
        ] {
            // As one word: a value may begin with a dash.
            argv.push(format!("{flag}={value}"));
        }
        argv.extend(self.on_failure.iter().map(|cmd| format!("--on-failure={cmd}")));
        argv.push("--".into());
        argv.extend_from_slice(command);
        argv
    }
}

impl Tool for Watch {
    const NAME: &'static str = "mod-watch";

    fn role(&self) -> Role {
        match self.verb {
            Verb::Run { .. } => Role::Supervisor,
            _ => Role::Filter,
        }
    }

    fn common(&self) -> &Common {
        &self.common
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_that_are_kept_for_check_mean_the_same_when_they_are_read_again() {
        let typed = [
            "mod-watch",
            "start",
            "--name",
            "x",
            "--restart-delay",
            "1.5s",
            "--stop-timeout=2m",
            "--max-log",
            "64k",
            "--on-failure",
            "mail -s 'down' ops",
            "--",
            "sh",
            "-c",
            "a | b --name y",
        ];
        let typed = Watch::try_parse_from(typed).expect("read");
        let Verb::Start { command } = &typed.verb else { unreachable!("start") };
        let kept = typed.options.run_argv("/run/-x", command);
        let again =
            Watch::try_parse_from(std::iter::once("mod-watch".to_owned()).chain(kept)).expect("read again");
        let Verb::Run { command: same, detached: false } = &again.verb else { unreachable!("run") };
        assert_eq!(same, command);
        let directory = Options { dir: Some("/run/-x".into()), ..typed.options };
        assert_eq!(format!("{:?}", again.options), format!("{directory:?}"));
    }
}
