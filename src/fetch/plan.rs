//! `--dry-run`: the devices, and every command that can be sent to them. The rights of an account on the devices
//! are built from this list, so it holds set-up, fallbacks and the logout too.

use std::{collections::BTreeSet, io::Write};

use super::inventory::{Device, Inventory};
use crate::{
    cli::{self, Via},
    error::{Error, Result},
    platform::{self, Platform},
    snmp,
    stage::Context,
};

/// Writes a line per device, and below them a line per command, with a remark on when it is sent.
pub fn write(
    args: &cli::Fetch,
    context: &Context,
    inventory: &Inventory,
    output: &mut dyn Write,
) -> Result<()> {
    let or_setting = |flag: &Option<String>, name| match flag {
        Some(value) => Ok(Some(value.clone())),
        None => context.settings.get(name),
    };
    let (user, jump) = (or_setting(&args.user, "CCAP_USER")?, or_setting(&args.jump, "CCAP_JUMP")?);
    for Device { cmts, host, via, port, platform, user: own_user, jump: own_jump, .. } in &inventory.devices {
        if *via == Via::Snmp {
            let port = port.unwrap_or(snmp::PORT);
            writeln!(output, "{cmts} {} {host}:{port}", Platform::Snmp).map_err(Error::output)?;
            continue;
        }
        let platform = platform.map_or("(detect)", Platform::word);
        let user = own_user.as_deref().or(user.as_deref()).unwrap_or("(ssh configuration)");
        let via = own_jump.as_ref().or(jump.as_ref()).map_or(String::new(), |jump| format!(" via {jump}"));
        let port = port.unwrap_or(22);
        writeln!(output, "{cmts} {platform} {user}@{host}:{port}{via}").map_err(Error::output)?;
    }
    let platforms: BTreeSet<Option<Platform>> = inventory.devices.iter().map(asked_as).collect();
    if platforms.contains(&None) {
        let dialogues = Platform::ALL.into_iter().filter_map(|p| platform::family(p).dialogue());
        let commands: BTreeSet<&str> = dialogues.map(|dialogue| dialogue.detect.0).collect();
        for command in commands {
            writeln!(output, "(detect): {command}  # to find out the platform").map_err(Error::output)?;
        }
    }
    let any = platforms.contains(&None);
    for platform in
        Platform::ALL.into_iter().filter(|&p| any && p != Platform::Snmp || platforms.contains(&Some(p)))
    {
        for (command, when) in commands(platform, args) {
            let when = if when.is_empty() { String::new() } else { format!("  # {when}") };
            writeln!(output, "{platform}: {command}{when}").map_err(Error::output)?;
        }
    }
    Ok(())
}

/// The platform whose commands a device is sent.
fn asked_as(device: &Device) -> Option<Platform> {
    if device.via == Via::Snmp { Some(Platform::Snmp) } else { device.platform }
}

/// What can be typed at a device of a family, and when; what is asked in every scan has no remark.
fn commands(platform: Platform, args: &cli::Fetch) -> Vec<(String, &'static str)> {
    let family = platform::family(platform);
    let mut commands: Vec<(String, &str)> = Vec::new();
    if args.commands.is_empty() {
        commands.extend(family.script(&[]).into_iter().map(|step| (step.command, "")));
        commands.extend(family.further().iter().map(|&(command, when)| (command.to_owned(), when)));
    } else {
        commands.extend(args.commands.iter().map(|command| (command.clone(), "")));
    }
    let Some(dialogue) = family.dialogue() else { return commands };
    if args.enable {
        commands.push(("enable".to_owned(), "set-up, in user mode"));
    }
    for spellings in dialogue.setup {
        commands.extend(spellings.iter().enumerate().map(|(n, command)| {
            let when = if n == 0 { "set-up" } else { "set-up, when the one before is refused" };
            ((*command).to_owned(), when)
        }));
    }
    commands.push((dialogue.logout.to_owned(), "at the end"));
    commands
}
