#![cfg_attr(all(target_arch = "arm", target_os = "none"), no_std, no_main)]

topk_loss_embedded::program!(topk_loss_embedded::golden::print);
