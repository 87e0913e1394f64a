//! Views: what a heap holds at a commit, read from its files by another process while the heap goes on.

mod common;

use common::{Model, get, heap_path, node_type, open, options, put, read_model, store};
use pheap::disk::MemoryDisk;
use pheap::{BYTES_TYPE, Durability, Error, Heap, Result, View};

/// What `common::read_model` reads, by a view.
fn read_view(view: &View) -> Result<Model> {
    let mut model = Model::new();
    for root in view.roots() {
        let (mut list, mut node) = (Vec::new(), root.addr);
        while node != 0 {
            let object = view.find_object(node)?.expect("a node is an object");
            assert_eq!(view.types()[object.type_index as usize].name, "node");
            assert_eq!(object.addr, node);
            let bytes = match view.word(node + 16)? {
                0 => Vec::new(),
                addr => {
                    // Also by an address inside.
                    let object = view.find_object(addr + 1)?.expect("bytes are an object");
                    assert_eq!((object.addr, object.type_index), (addr, BYTES_TYPE));
                    view.contents(&object)?
                }
            };
            list.push((view.word(node + 8)?, common::Bytes(bytes)));
            node = view.word(node)?;
        }
        model.insert(root.name.clone(), list);
    }
    Ok(model)
}

fn push(heap: &mut Heap, root: &str, number: u64, bytes: &[u8]) {
    let node_type = node_type(heap).unwrap();
    heap.begin();
    let node = heap.alloc_array(node_type, 1).unwrap();
    let bytes = heap.alloc_bytes(bytes).unwrap();
    put(node, heap.root(root).map_or(0, |root| root.0));
    put(node + 8, number);
    put(node + 16, bytes);
    heap.set_root(root, node, node_type).unwrap();
    heap.commit().unwrap();
}

#[test]
fn a_view_shows_the_last_commit_and_nothing_after_it() {
    let options = options(Durability::Sync);
    let disk = MemoryDisk::default();
    let mut heap = open(&disk, &options).unwrap();
    for i in 0..20 {
        // Also bytes over several pages.
        let len = if i % 5 == 4 { 30_000 } else { 10 * i as usize };
        push(&mut heap, "a", i, &vec![i as u8; len]);
        if i % 7 == 6 {
            heap.checkpoint().unwrap();
        }
        let view = View::open_on(&disk, &heap_path()).unwrap();
        assert_eq!(read_view(&view).unwrap(), read_model(&heap));
        assert_eq!(view.lsn(), heap.stats().last_lsn);
    }
    let before = read_model(&heap);
    let (node, _) = heap.root("a").unwrap();
    heap.begin();
    store(&mut heap, node + 8, 1000);
    let view = View::open_on(&disk, &heap_path()).unwrap();
    assert_eq!(read_view(&view).unwrap(), before);
    heap.rollback().unwrap();
    assert_eq!(get(node + 8), 19);
    heap.close().unwrap();
    let view = View::open_on(&disk, &heap_path()).unwrap();
    assert!(view.is_clean());
    assert_eq!(read_view(&view).unwrap(), before);
}

#[test]
fn a_view_that_a_checkpoint_overtakes_says_so_or_stays_as_it_was() {
    let options = options(Durability::Sync);
    let disk = MemoryDisk::default();
    let mut heap = open(&disk, &options).unwrap();
    let (mut overtaken, mut whole) = (0, 0);
    for i in 0..60 {
        push(&mut heap, "a", i, &[i as u8; 300]);
        if i % 2 == 0 {
            // The view has no pages from the log then.
            heap.checkpoint().unwrap();
        }
        let before = read_model(&heap);
        let view = View::open_on(&disk, &heap_path()).unwrap();
        let (node, _) = heap.root("a").unwrap();
        heap.begin();
        store(&mut heap, node + 8, 1000 + i);
        heap.commit().unwrap();
        if i % 2 == 0 {
            heap.checkpoint().unwrap();
        }
        match read_view(&view) {
            Ok(model) => {
                assert_eq!(model, before);
                whole += 1;
            }
            Err(Error::Overtaken { .. }) => overtaken += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(overtaken > 5 && whole > 5, "{overtaken} {whole}");
}

#[test]
fn slots_are_numbered_and_garbage_is_seen() {
    let options = options(Durability::Sync);
    let disk = MemoryDisk::default();
    let mut heap = open(&disk, &options).unwrap();
    for i in 0..50 {
        push(&mut heap, "a", i, &[1; 50]);
    }
    let (node, _) = heap.root("a").unwrap();
    heap.begin();
    store(&mut heap, node, 0);
    heap.commit().unwrap();
    let view = View::open_on(&disk, &heap_path()).unwrap();
    let mut numbers = std::collections::BTreeSet::new();
    let mut nodes = 0;
    view.for_each_object(|object| {
        let number = view.slot_number(&object);
        assert!(number < view.slot_count() && numbers.insert(number));
        let mut pointers = 0;
        view.for_each_pointer(&object, |_, to| {
            assert!(view.find_object(to)?.is_some());
            pointers += 1;
            Ok(())
        })?;
        nodes += u64::from(view.types()[object.type_index as usize].name == "node");
        Ok(())
    })
    .unwrap();
    assert_eq!(nodes, 50);
    let outside = view.base() + (1 << 25);
    assert!(view.find_object(outside).unwrap().is_none());
    assert!(matches!(view.word(outside), Err(Error::Damaged { .. })));
}

#[test]
fn what_is_no_heap_has_no_view() {
    let disk = MemoryDisk::default();
    let error = View::open_on(&disk, &heap_path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let disk = MemoryDisk::new(std::collections::BTreeMap::from([(
        heap_path(),
        vec![7; 20_000],
    )]));
    let error = View::open_on(&disk, &heap_path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::NotAHeap { .. }), "{error}");
}
